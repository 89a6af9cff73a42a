using System.Text.Json.Serialization;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Streams;
using Pillarbox.Storage;

namespace Pillarbox.Server.Cli;

/// <summary>What the data verbs print as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DataFigures))]
[JsonSerializable(typeof(RecordText))]
[JsonSerializable(typeof(BatchText))]
internal sealed partial class DataJson : JsonSerializerContext;
