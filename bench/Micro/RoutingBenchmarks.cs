using BenchmarkDotNet.Attributes;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Micro;

/// <summary>Finding patterns by name among few and many, and settings by address. Nothing may be allocated.</summary>
[MemoryDiagnoser]
public class RoutingBenchmarks
{
    private readonly WildcardTree<string> _tree = new();
    private readonly List<string> _results = [];
    private readonly SettingsTree _settings = new(new Dictionary<string, AddressSettings>
    {
        ["#"] = new() { MaxDeliveryAttempts = 5 },
        ["region.#"] = new() { RedeliveryDelayMs = 5 },
    });

    [Params(10, 100_000)]
    public int Patterns { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        for (int i = 0; i < Patterns; i++)
        {
            _tree.Add($"region.{i % 10}.device.{i}.#", "x");
        }

        _tree.Add("region.*.device.7.status", "y");
        _tree.Add("#", "z");
    }

    [Benchmark]
    public int Match()
    {
        _results.Clear();
        _tree.Match("region.7.device.7.status", _results);
        return _results.Count;
    }

    [Benchmark]
    public int Settings() => _settings.For("region.7.device.7.status").MaxDeliveryAttempts;
}

/// <summary>Selectors over two properties in a payload of the benchmark's own. Nothing may be allocated.</summary>
[MemoryDiagnoser]
public class SelectorBenchmarks
{
    private readonly byte[] _payload = [.. "red"u8, .. new byte[100]];
    private readonly Fields _reader = new();
    private Selector _selector = Selector.Parse("TRUE");

    [Params(
        "color = 'red'",
        "size > 5 AND color LIKE 're%'",
        "size BETWEEN 1 AND 9 AND color IN ('blue', 'green', 'red')")]
    public string Text { get; set; } = "";

    [GlobalSetup]
    public void Setup() => _selector = Selector.Parse(Text);

    [Benchmark]
    public bool Matches() => _selector.Matches(new MessageHeader(), _payload, _reader);

    private sealed class Fields : IPropertyReader
    {
        public PayloadFormat Format => PayloadFormat.Amqp;

        public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name) =>
            name == "color" ? PropertyValue.From(payload[..3]) : name == "size" ? PropertyValue.From(7L) : default;
    }
}
