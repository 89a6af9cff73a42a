using System.CommandLine;

namespace Pillarbox.Server.Cli.Access;

/// <summary>The flags that say what a rule is about, for whom it is, and what it is of.</summary>
internal sealed class AclFlags
{
    /// <summary>The ways to name a thing.</summary>
    public const string Resources = "--address, --group, --transaction or --whole-space";

    /// <summary>The ways to name somebody.</summary>
    public const string Subjects = "--for-user, --for-role or --for-everybody";

    private static readonly string[] Operations =
    [
        "all", "read", "write", "create", "delete", "alter", "describe", "describeSettings", "alterSettings",
        "idempotentWrite",
    ];

    private readonly Option<string?> _address = new("--address", "--stream")
    {
        Description = "Addresses: queues and streams. A name, or * for all.",
    };

    private readonly Option<string?> _group = new("--group") { Description = "Consumer groups." };

    private readonly Option<string?> _transaction = new("--transaction") { Description = "Transactional ids." };

    private readonly Option<bool> _space = new("--whole-space") { Description = "The address space as a whole." };

    private readonly Option<string?> _user = new("--for-user") { Description = "For this user." };

    private readonly Option<string?> _role = new("--for-role") { Description = "For whoever has this role." };

    private readonly Option<bool> _everybody = new("--for-everybody") { Description = "For everybody." };

    private readonly Option<string[]> _operations = new("--operation")
    {
        Description = $"{string.Join(", ", Operations)}; repeatable.",
    };

    public void AddTo(Command command, bool needsAll)
    {
        foreach (Option option in (Option[])[_address, _group, _transaction, _space, _user, _role])
        {
            command.Options.Add(option);
        }

        if (needsAll)
        {
            command.Options.Add(_everybody);
        }

        _operations.AcceptOnlyFromAmong(Operations);
        _operations.Required = needsAll;
        command.Options.Add(_operations);
    }

    /// <summary>The operations that were named.</summary>
    public IEnumerable<string> OperationsOf(ParseResult parsed) => parsed.GetValue(_operations) ?? [];

    /// <summary>Kind and name; null when nothing was said. Throws <see cref="CommandException"/>.</summary>
    public (string Kind, string Name)? ResourceOf(ParseResult parsed)
    {
        (string Kind, string? Name)[] all =
        [
            ("address", parsed.GetValue(_address)), ("group", parsed.GetValue(_group)),
            ("transaction", parsed.GetValue(_transaction)), ("space", parsed.GetValue(_space) ? "*" : null),
        ];
        (string Kind, string? Name)[] given = [.. all.Where(one => one.Name is not null)];
        return given.Length switch
        {
            0 => null,
            1 => (given[0].Kind, given[0].Name!),
            _ => throw new CommandException(ExitCode.Usage, $"a rule is about one thing: {Resources}"),
        };
    }

    /// <summary>User or role, or neither for everybody; null when nothing was said. Throws
    /// <see cref="CommandException"/>.</summary>
    public (string? User, string? Role)? SubjectOf(ParseResult parsed)
    {
        string? user = parsed.GetValue(_user);
        string? role = parsed.GetValue(_role);
        bool everybody = parsed.GetValue(_everybody);
        int given = (user is null ? 0 : 1) + (role is null ? 0 : 1) + (everybody ? 1 : 0);
        return given switch
        {
            0 => null,
            1 => (user, role),
            _ => throw new CommandException(ExitCode.Usage, $"a rule is for one: {Subjects}"),
        };
    }
}
