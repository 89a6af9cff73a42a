using System.CommandLine;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox completion bash</c>: the shell asks the program itself what may follow.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _pillarbox() {
          local words
          words="$(pillarbox "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)"
          COMPREPLY=($(compgen -W "${words}" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -F _pillarbox pillarbox
        """;

    public static Command Create()
    {
        var bash = new Command("bash", "Print the completion script: source <(pillarbox completion bash)");
        bash.SetAction(_ =>
        {
            Console.WriteLine(Bash);
            return ExitCode.Good;
        });
        return new Command("completion", "Completion for shells.") { bash };
    }
}
