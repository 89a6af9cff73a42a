using System.Diagnostics;
using Pillarbox.Protocols.Amqp.Tests.Wire;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Tests.Differential;

/// <summary>Proton's codec as a process of its own, driven line by line.</summary>
internal sealed class ProtonCodec : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private readonly Process _process;

    private ProtonCodec(Process process) => _process = process;

    /// <summary>Null when this machine has no Proton.</summary>
    public static ProtonCodec? Start()
    {
        if (!File.Exists(Python))
        {
            return null;
        }
        string script = Path.Combine(AppContext.BaseDirectory, "Differential", "proton_codec.py");
        ProcessStartInfo start = new(Python, [script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        ProtonCodec codec = new(Process.Start(start)!);
        if (codec.Ask("value", [FormatCode.True]) is (_, "boolean:1"))
        {
            return codec;
        }
        codec.Dispose();
        return null;
    }

    /// <summary>The bytes as Proton encodes what it decoded, and what it saw; no bytes: its error.</summary>
    public (byte[] Encoded, string Seen) Ask(string verb, byte[] bytes)
    {
        _process.StandardInput.WriteLine($"{verb} {Bytes.Hex(bytes)}");
        string[] answer = (_process.StandardOutput.ReadLine() ?? "error no answer").Split(' ', 2);
        return answer[0] == "error" ? ([], "error " + answer[1]) : (Bytes.FromHex(answer[0]), answer[1]);
    }

    public void Dispose()
    {
        try
        {
            _process.StandardInput.Close();
            _process.WaitForExit();
        }
        catch (IOException)
        {
            // It went before us.
        }
        _process.Dispose();
    }
}
