using System.Text;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Policy;

/// <summary>
/// The rules of one connection that was let in: what it may begin, and with what error it may not. Owned by the
/// connection's loop.
/// </summary>
public sealed class ConnectionPolicy
{
    private const string Waypoint = "qd.waypoint";
    private const string Fallback = "qd.fallback";

    private static readonly AmqpError LinkForbidden = new()
    {
        Condition = AmqpErrorCondition.UnauthorizedAccess,
        Description = "link disallowed by local policy",
    };

    private static readonly AmqpError TooManyLinks = LinkForbidden with
    {
        Condition = AmqpErrorCondition.ResourceLimitExceeded,
    };

    private readonly PolicyEngine _engine;
    private readonly GroupPolicy? _group;
    private readonly AddressGate _sources;
    private readonly AddressGate _targets;
    private readonly byte[] _user;
    private readonly (AddressGate Sources, AddressGate Targets)? _rights;

    internal ConnectionPolicy(
        PolicyEngine engine, in PolicyFinding finding, in PolicyRequest request, long? maxMessageBytes)
    {
        var words = new PolicyWords(request.User, request.RemoteHost);
        _engine = engine;
        _group = finding.Group;
        _sources = (finding.Group?.Sources ?? AllowedAddresses.None).For(words);
        _targets = (finding.Group?.Targets ?? AllowedAddresses.None).For(words);
        _user = Encoding.UTF8.GetBytes(request.User);
        _rights = request.Rights is { } rights ? (rights.Sources.For(words), rights.Targets.For(words)) : null;
        Vhost = finding.Vhost;
        GroupName = finding.GroupName;
        Request = request;
        MaxMessageBytes = maxMessageBytes;
    }

    /// <summary>What a connection hears that is not let in.</summary>
    public static AmqpError ConnectionDenied { get; } = new()
    {
        Condition = AmqpErrorCondition.ResourceLimitExceeded,
        Description = "connection disallowed by local policy",
    };

    /// <summary>What a connection hears whose session is one too many.</summary>
    public static AmqpError SessionDenied { get; } = new()
    {
        Condition = AmqpErrorCondition.ResourceLimitExceeded,
        Description = "session disallowed by local policy",
    };

    /// <summary>The virtual host; null: virtual hosts do not count.</summary>
    public VhostPolicy? Vhost { get; }

    /// <summary>The name of the user's group.</summary>
    public string GroupName { get; }

    /// <summary>The longest message, in bytes; null: as the node has it.</summary>
    public long? MaxMessageBytes { get; }

    /// <summary>Whether link routes that the connection makes for itself are allowed.</summary>
    public bool AllowsDynamicLinkRoutes => _group?.AllowsDynamicLinkRoutes != false;

    /// <summary>Whether its user may have connections closed.</summary>
    public bool AllowsAdminStatusUpdate => _group?.AllowsAdminStatusUpdate != false;

    /// <summary>Whether messages have to be looked at for the user that they name.</summary>
    public bool ChecksUserIds => _group is { AllowsUserIdProxy: false };

    internal PolicyRequest Request { get; }

    /// <summary>The node's limits, where the rules do not have narrower ones.</summary>
    public AmqpOptions Limit(AmqpOptions options)
    {
        int frame = Math.Max(WireLimits.FrameBytesMin, Math.Min(
            _group?.MaxFrameBytes is > 0 and { } bytes ? bytes : int.MaxValue, options.MaxFrameBytes));
        long window = _group?.MaxSessionWindowBytes is > 0 and { } windowBytes
            ? Math.Max(1, windowBytes / frame) : options.IncomingWindow;
        return options with
        {
            MaxFrameBytes = frame,
            ChannelMax = _group?.MaxSessions is > 0 and { } sessions
                ? (ushort)Math.Min(options.ChannelMax, sessions - 1) : options.ChannelMax,
            IncomingWindow = (uint)Math.Min(window, options.IncomingWindow),
            MaxMessageBytes = Math.Min(MaxMessageBytes ?? long.MaxValue, options.MaxMessageBytes),
        };
    }

    /// <summary>Whether one more session may begin.</summary>
    /// <param name="sessions">How many the peer has begun.</param>
    public bool AllowsSession(int sessions)
    {
        bool isAllowed = _group?.MaxSessions is not (> 0 and { } most) || sessions < most;
        if (!isAllowed)
        {
            _engine.CountSession(this);
        }

        return isAllowed;
    }

    /// <summary>What is wrong with a link that the peer begins; null: nothing.</summary>
    /// <param name="attach">How it begins.</param>
    /// <param name="links">How many of this direction the peer has.</param>
    public AmqpError? Check(Attach attach, Func<int> links)
    {
        bool isSender = attach.Role == Role.Sender;
        AmqpError? error = _group is { } group ? CheckGroup(group, attach, links) : null;
        error ??= IsRightful(attach) ? null : LinkForbidden;
        if (error is not null)
        {
            _engine.CountLink(this, isSender);
        }

        return error;
    }

    /// <summary>Whether a message may go to the address that it names.</summary>
    public bool AllowsTarget(string address) => (_group is null || _targets.Allows(address))
        && (_rights is not { } rights || rights.Targets.Allows(address));

    /// <summary>Whether a message may name a user.</summary>
    /// <param name="userId">As the message has it; empty: it names none.</param>
    public bool AllowsUserId(ReadOnlySpan<byte> userId) =>
        _group is null or { AllowsUserIdProxy: true } || userId.IsEmpty || userId.SequenceEqual(_user);

    /// <summary>A message was longer than it may be.</summary>
    public void OnMessageTooLong() => _engine.CountMessage(this);

    /// <summary>The connection is over. Once.</summary>
    public void Close() => _engine.Close(this);

    private AmqpError? CheckGroup(GroupPolicy group, Attach attach, Func<int> links)
    {
        bool isSender = attach.Role == Role.Sender;
        int most = isSender ? group.MaxSenders : group.MaxReceivers;
        return most < int.MaxValue && links() >= most ? TooManyLinks
            : (isSender ? AllowsSender(group, attach) : AllowsReceiver(group, attach)) ? null
            : LinkForbidden;
    }

    // Who has named addresses leaves dynamic ones and senders for all to everybody: the messages are looked at.
    private bool IsRightful(Attach attach)
    {
        if (_rights is not { } rights)
        {
            return true;
        }

        return attach.Role == Role.Sender
            ? attach.Target is not Target { Dynamic: false, Address: { Length: > 0 } target }
                || rights.Targets.Allows(target)
            : attach.Source is not { Dynamic: false, Address: { Length: > 0 } source }
                || rights.Sources.Allows(source);
    }

    private bool AllowsSender(GroupPolicy group, Attach attach)
    {
        if (attach.Target is not Target target)
        {
            // A transaction's coordinator has no address.
            return true;
        }

        return target.Dynamic || string.IsNullOrEmpty(target.Address)
            ? group.AllowsAnonymousSender
            : AllowsCapabilities(group, target.Capabilities) && _targets.Allows(target.Address);
    }

    private bool AllowsReceiver(GroupPolicy group, Attach attach) => attach.Source switch
    {
        { Dynamic: true } => group.AllowsDynamicSource,
        { Address: { Length: > 0 } address } source =>
            AllowsCapabilities(group, source.Capabilities) && _sources.Allows(address),
        _ => false,
    };

    private static bool AllowsCapabilities(GroupPolicy group, string[]? capabilities) => capabilities is null
        || ((group.AllowsWaypointLinks
            || !Array.Exists(capabilities, c => c.StartsWith(Waypoint, StringComparison.Ordinal)))
            && (group.AllowsFallbackLinks || !capabilities.Contains(Fallback)));
}
