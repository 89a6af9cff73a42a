using System.Text.Json.Serialization;
using Pillarbox.Broker.Security;

namespace Pillarbox.Server.Cli;

/// <summary>The list of users as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<UserView>))]
internal sealed partial class UserJson : JsonSerializerContext;
