using System.Text.Json.Serialization.Metadata;

namespace Pillarbox.ConsoleApi;

/// <summary>One route: what it is, for the API document, and what answers it. Immutable.</summary>
internal sealed record ApiRoute(string Method, string Path, string Summary, Func<ApiRequest, Task> Handle)
{
    /// <summary>Health is for probes that have no password; everything else asks for one.</summary>
    public bool NeedsLogin { get; init; } = true;

    /// <summary>The status of success.</summary>
    public int Status { get; init; } = 200;

    /// <summary>The shape of the answer; null: none, or not JSON.</summary>
    public JsonTypeInfo? Answer { get; init; }

    /// <summary>The shape of the body; null: none.</summary>
    public JsonTypeInfo? Body { get; init; }

    /// <summary>The media type of the answer.</summary>
    public string MediaType { get; init; } = "application/json";

    /// <summary>A status of failure that is told as plain text, for probes; null: all are problems.</summary>
    public int? TextFault { get; init; }

    /// <summary>What may stand behind the question mark.</summary>
    public IReadOnlyList<QueryParameter> Query { get; init; } = [];
}

/// <summary>One parameter behind the question mark.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its JSON schema type: integer, string or boolean.</param>
/// <param name="Description">What it does, with its range and default.</param>
internal sealed record QueryParameter(string Name, string Type, string Description);
