using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Model;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.ConsoleApi;

/// <summary>What the resources stand on. Immutable.</summary>
public sealed record ApiServices
{
    /// <summary>The broker; its management views and operations are all that is used.</summary>
    public required MessageBroker Broker { get; init; }

    /// <summary>Where the node is in its life.</summary>
    public required INodeHealth Health { get; init; }

    /// <summary>Who may come in.</summary>
    public required HttpAccess Access { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where unexpected failures are reported.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>The node's router; null: it is in no network.</summary>
    public Func<RouterView>? Router { get; init; }

    /// <summary>The router's management agent; null: the node is in no network.</summary>
    public Func<ManagementRequest, ValueTask<ManagementReply>>? ManageRouter { get; init; }

    /// <summary>Shows payloads to people; per format, by whoever knows it.</summary>
    public Func<PayloadFormat, ReadOnlyMemory<byte>, PayloadText> DescribePayload { get; init; } =
        (_, _) => PayloadText.Unknown;
}

/// <summary>Where the node is in its life, as health checks ask. Any thread.</summary>
public interface INodeHealth
{
    /// <summary>Recovered and listening.</summary>
    bool Started { get; }

    /// <summary>On its way down.</summary>
    bool Stopping { get; }
}

/// <summary>What a person wants to see of a payload.</summary>
/// <param name="Body">The body as text, or null when it is none (or not whole).</param>
/// <param name="ContentType">What the sender says it is.</param>
/// <param name="Properties">The application's properties, as text.</param>
public sealed record PayloadText(string? Body, string? ContentType, IReadOnlyDictionary<string, string> Properties)
{
    /// <summary>Nothing can be said.</summary>
    public static readonly PayloadText Unknown = new(null, null, new Dictionary<string, string>());
}

/// <summary>Who may use the HTTP listener. Any thread.</summary>
public sealed record HttpAccess
{
    /// <summary>Checks a name and a password; null: nobody needs to log in (development mode on loopback).</summary>
    public Func<string, ReadOnlyMemory<byte>, CancellationToken, ValueTask<LoginVerdict>>? Verify { get; init; }

    /// <summary>Whether the node is in development mode still; null: never.</summary>
    public Func<bool>? InDevelopment { get; init; }

    /// <summary>Whether the listener that a request came by lets in who does not log in: to look, as far as the
    /// permissions allow it, and not to change anything. Null: none does.</summary>
    public Func<HttpContext, bool>? WaivesLogin { get; init; }

    /// <summary>Whether everybody who connects may do everything.</summary>
    public bool IsOpen => Verify is null || InDevelopment?.Invoke() == true;
}

/// <summary>The answer to a name and a password.</summary>
/// <param name="Identity">Who it is; null: refused.</param>
/// <param name="Busy">Too many logins are being checked: try again later.</param>
public readonly record struct LoginVerdict(Identity? Identity, bool Busy);
