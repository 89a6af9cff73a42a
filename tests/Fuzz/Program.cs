using System.Diagnostics;
using System.Globalization;
using Pillarbox.Fuzz;
using Pillarbox.Fuzz.Amqp;
using Pillarbox.Fuzz.Kafka;
using Pillarbox.Fuzz.Mqtt;
using Pillarbox.Fuzz.OpenWire;
using Pillarbox.Fuzz.Router;
using Pillarbox.Fuzz.Stomp;

// usage: Pillarbox.Fuzz --target NAME [--count N] [--seed S]
//
// The one list of targets. Exit code 0: nothing escaped; 1: something did, its bytes are printed; 2: wrong usage.
Dictionary<string, Func<IFuzzTarget>> targets = new()
{
    ["amqp-wire"] = () => new AmqpWireTarget(),
    ["amqp-session"] = () => new AmqpSessionTarget(),
    ["kafka-wire"] = () => new KafkaWireTarget(),
    ["kafka-records"] = () => new KafkaRecordsTarget(),
    ["kafka-session"] = () => new KafkaSessionTarget(),
    ["mqtt-wire"] = () => new MqttWireTarget(),
    ["mqtt-session"] = () => new MqttSessionTarget(),
    ["stomp-wire"] = () => new StompWireTarget(),
    ["stomp-session"] = () => new StompSessionTarget(),
    ["openwire-wire"] = () => new OpenWireWireTarget(),
    ["openwire-session"] = () => new OpenWireSessionTarget(),
    ["router-control"] = () => new RouterControlTarget(),
    ["router-management"] = () => new RouterManagementTarget(),
};

string name = Option("--target") ?? "";
if (!targets.TryGetValue(name, out Func<IFuzzTarget>? make))
{
    Console.Error.WriteLine($"usage: Pillarbox.Fuzz --target {string.Join('|', targets.Keys)} [--count N] [--seed S]");
    return 2;
}
long count = long.Parse(Option("--count") ?? "100000", CultureInfo.InvariantCulture);
int seed = int.Parse(Option("--seed") ?? $"{Random.Shared.Next()}", CultureInfo.InvariantCulture);
Console.WriteLine($"--target {name} --count {count} --seed {seed}");
long started = Stopwatch.GetTimestamp();
bool passed = new FuzzRun(make()).Run(count, seed);
double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
if (passed)
{
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{count} inputs in {seconds:F1} s ({count / seconds:F0}/s), nothing escaped"));
}
return passed ? 0 : 1;

string? Option(string option)
{
    int at = Array.IndexOf(args, option);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
