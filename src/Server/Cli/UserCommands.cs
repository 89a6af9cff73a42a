using System.CommandLine;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Server.Cli;

/// <summary>
/// <c>pillarbox user …</c>: works on the users file of a data directory; a running node sees the change within a
/// second. Passwords
/// come from a prompt or from standard input, never from the command line.
/// </summary>
internal static class UserCommands
{
    private static readonly Argument<string> Name = new("name") { Description = "The user's name." };

    public static Command Create() => new("user", "Users: add, list, remove, set-password, set-roles, set-space.")
    {
        Add(), List(), Remove(), SetPassword(), SetRoles(), SetSpace(),
    };

    private static Option<string[]> Roles() => new("--role")
    {
        Description = "A role; repeatable. Without configured permissions: admin, client, viewer.",
    };

    private static Command Add()
    {
        Option<string[]> roles = Roles();
        Option<string[]> certificates = new("--certificate")
        {
            Description = "A client certificate that logs in: dns:NAME, uri:, email:, cn:, or key:SHA256.",
        };
        Option<bool> noPassword = new("--no-password") { Description = "Only certificates log in." };
        Option<string?> space = new("--space") { Description = "The one address space the user may enter." };
        Symbol[] symbols = [Name, roles, certificates, noPassword, space];
        return Verb("add", "Add a user; asks for the password.", symbols, (store, parsed) =>
        {
            string name = parsed.GetValue(Name)!;
            if (store.List().Any(user => user.Name == name))
            {
                throw new CommandException(ExitCode.Conflict, $"there is a user '{name}' already");
            }

            bool first = store.IsEmpty;
            string[] given = parsed.GetValue(roles) is { Length: > 0 } named ? named : ["client"];
            using Secret? password = parsed.GetValue(noPassword) ? null : AskNew(name);
            store.Add(name, password, given, parsed.GetValue(certificates) ?? [], parsed.GetValue(space));
            Console.Error.WriteLine($"added {name} with role {string.Join(", ", given)}");
            if (first)
            {
                Console.Error.WriteLine(
                    "This is the first user: a node that runs open asks everybody for a login from now on.");
            }
        });
    }

    private static Command List()
    {
        Option<OutputFormat> output = Output.Option();
        return Verb("list", "List users.", [output], (store, parsed) =>
        {
            IReadOnlyList<UserView> users = store.List();
            if (parsed.GetValue(output) == OutputFormat.Json)
            {
                Output.Json(users, UserJson.Default.IReadOnlyListUserView);
                return;
            }

            Output.Table(["name", "roles", "password", "space", "certificates"], users.Select(user => new[]
            {
                user.Name, string.Join(',', user.Roles), user.HasPassword ? "yes" : "no",
                user.AddressSpace ?? "any",
                string.Join(' ', user.Certificates),
            }));
        });
    }

    private static Command Remove() => Verb(
        "remove", "Remove a user.", [Name], (store, parsed) => store.Remove(parsed.GetValue(Name)!));

    private static Command SetPassword() => Verb(
        "set-password", "Give a user a new password; asks for it.", [Name], (store, parsed) =>
        {
            string name = parsed.GetValue(Name)!;
            if (store.List().All(user => user.Name != name))
            {
                throw new CommandException(ExitCode.NotFound, $"there is no user '{name}'");
            }

            using Secret password = AskNew(name);
            store.SetPassword(name, password);
        });

    private static Command SetRoles()
    {
        Option<string[]> roles = Roles();
        roles.Required = true;
        return Verb("set-roles", "Replace a user's roles.", [Name, roles], (store, parsed) =>
            store.SetRoles(parsed.GetValue(Name)!, parsed.GetValue(roles)!));
    }

    private static Command SetSpace()
    {
        Option<string?> space = new("--space") { Description = "The address space; left out: any." };
        return Verb("set-space", "Bind a user to one address space, or to none.", [Name, space], (store, parsed) =>
            store.SetAddressSpace(parsed.GetValue(Name)!, parsed.GetValue(space)));
    }

    private static Command Verb(string name, string description, Symbol[] symbols, Action<UserStore, ParseResult> act)
    {
        var options = new ConfigOptions();
        var command = new Command(name, description);
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Arguments.Add(argument);
            }
            else
            {
                command.Options.Add((Option)symbol);
            }
        }

        options.AddDataTo(command);
        command.SetAction(parsed =>
        {
            PillarboxConfig config = options.Load(parsed);
            if (config.DataDirectory == PillarboxConfig.InMemory)
            {
                throw new CommandException(ExitCode.Usage, "a node in memory keeps no users");
            }

            using UserStore store = NodeUsers.Open(config);
            act(store, parsed);
            return ExitCode.Good;
        });
        return command;
    }

    private static Secret AskNew(string name)
    {
        if (Console.IsInputRedirected)
        {
            string? line = Console.In.ReadLine();
            return string.IsNullOrEmpty(line)
                ? throw new CommandException(
                    ExitCode.Usage, "the password is empty: give it as the first line of standard input")
                : new Secret(line);
        }

        string first = SecretPrompt.Ask($"New password of {name}: ");
        return SecretPrompt.Ask("Again: ") == first
            ? new Secret(first)
            : throw new CommandException(ExitCode.Usage, "the two passwords differ; nothing was changed");
    }
}
