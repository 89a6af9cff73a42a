#!/usr/bin/env -S sh -c 'exec dotnet "$0" -- "$@"'
#:property PublishAot=false
// The one command of this repository: `./do.cs --help` lists its verbs. It only starts other programs and sums up.

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Xml.Linq;

const string Help = """
    usage: ./do.cs VERB [arguments]

      run [pillarbox run arguments]   build, then start a node with its data in ./data
      test [PROJECT...]               install what the tests need, build, run all tests (or the named projects)
      check                           build, formatting, tidy tests: what a change must pass before it is proposed
      bench [PROJECT] [arguments]     run a benchmark project of bench/ (default: load)
      sim [--seeds N] [--seed S]      run the whole-node simulation: new seeds, or from S on (one without --seeds)
      fuzz [arguments]                run the seeded fuzzer, e.g. --target amqp-wire --count 1000000 --seed 1
      pack                            artifacts/linux-x64/pillarbox and the NuGet packages in artifacts/packages, tried
    """;

string root = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
string artifacts = Path.Combine(root, "artifacts");

return args switch
{
    ["run", .. var rest] => RunNode(rest),
    ["test", .. var names] => Test(names),
    ["check"] => Check(),
    ["bench", .. var rest] => Bench(rest),
    ["sim", .. var rest] => Simulate(rest),
    ["fuzz", .. var rest] => BuildAndRun("tests/Fuzz", rest),
    ["pack"] => Pack(),
    ["--help" or "-h" or "help"] => Print(Help, 0),
    _ => Print(Help, 2),
};

// The node works in this folder, where ./data and pillarbox.json are; what is named is meant where it is typed.
int RunNode(string[] rest)
{
    string[] named = ["--data", "--config"];
    string Here(string path) => path == ":memory:" ? path : Path.GetFullPath(path);
    string[] arguments = [.. rest.Select((text, i) =>
        i > 0 && named.Contains(rest[i - 1]) ? Here(text)
        : named.FirstOrDefault(n => text.StartsWith(n + "=", StringComparison.Ordinal)) is { } name
            ? $"{name}={Here(text[(name.Length + 1)..])}" : text)];
    if (Build("src/Server") is var code and not 0) return code;
    return Run(Executable("Pillarbox.Server", "pillarbox"), ["run", .. arguments]);
}

// Everything is compiled anew, whatever a quicker build left out: analyzers and code style are errors of the build.
// The formatter then sees to white space, and to what it could have mended. It reads the projects as they were built:
// without the configuration it would look for another build of the source generator, which is not there.
int Check()
{
    string[] fresh = ["--no-incremental", "-noAutoResponse"];
    if (Build("Pillarbox.slnx", fresh) is var code and not 0) return code;
    Environment.SetEnvironmentVariable("Configuration", "Release");
    if (Run("dotnet", ["format", "Pillarbox.slnx", "--verify-no-changes", "--no-restore"]) != 0)
        return Print("The formatter would change that: run `Configuration=Release dotnet format`.", 1);
    return Run(Executable("Pillarbox.Tidy.Tests"), []);
}

int Bench(string[] rest)
{
    bool named = rest is [var first, ..] && !first.StartsWith('-');
    string wanted = named ? rest[0] : "load";
    string? folder = Directory.EnumerateDirectories(root, "bench").SelectMany(Directory.EnumerateDirectories)
        .FirstOrDefault(d => Path.GetFileName(d).Equals(wanted, StringComparison.OrdinalIgnoreCase));
    if (folder is null) return Print($"There is no bench/{wanted}.", 2);
    return BuildAndRun(folder, named ? rest[1..] : rest);
}

int Simulate(string[] rest)
{
    Dictionary<string, string> named = new() { ["--seeds"] = "PILLARBOX_SIM_SEEDS", ["--seed"] = "PILLARBOX_SIM_SEED" };
    if (rest.Length % 2 != 0) return Print(Help, 2);
    foreach (string[] pair in rest.Chunk(2))
    {
        if (!named.TryGetValue(pair[0], out string? variable) || !ulong.TryParse(pair[1], out _)) return Print(Help, 2);
        Environment.SetEnvironmentVariable(variable, pair[1]);
    }
    if (Build("tests/Simulation") is var code and not 0) return code;
    return Run(Executable("Pillarbox.Simulation.Tests"), ["-noLogo", "-noColor", "-showLiveOutput"]);
}

int BuildAndRun(string folder, string[] rest)
{
    string path = Directory.GetFiles(Path.Combine(root, folder), "*.csproj").Single();
    string project = Path.GetFileNameWithoutExtension(path);
    return Build(folder) is var code and not 0 ? code : Run(Executable(project), rest);
}

// ---- test ---------------------------------------------------------------------------------------------------------

int Test(string[] names)
{
    InstallTestNeeds();
    if (Build("Pillarbox.slnx") is var code and not 0) return Print("0 passed, 1 failed", code);
    string results = Directory.CreateTempSubdirectory("pillarbox-test-").FullName;
    var total = (Passed: 0, Failed: 0, Skipped: 0);
    foreach (string project in TestProjects(names))
    {
        var (passed, failed, skipped) = RunTests(project, Path.Combine(results, project + ".xml"));
        Console.WriteLine($"{project}: {passed} passed, {failed} failed, {skipped} skipped");
        total = (total.Passed + passed, total.Failed + failed, total.Skipped + skipped);
    }
    Directory.Delete(results, recursive: true);
    if (names.Length == 0) total = AddFuzz(total);
    if (total.Skipped > 0) Console.WriteLine($"{total.Skipped} skipped");
    bool good = total is { Failed: 0, Passed: > 0 };
    return Print($"{total.Passed} passed, {total.Failed} failed", good ? 0 : 1);
}

// Each target is one test: a new seed each time, printed first.
(int Passed, int Failed, int Skipped) AddFuzz((int Passed, int Failed, int Skipped) total)
{
    (string Target, string Count)[] targets =
    [
        ("amqp-wire", "5000000"), ("amqp-session", "20000"), ("kafka-wire", "5000000"), ("kafka-records", "500000"),
        ("kafka-session", "5000"),
        ("mqtt-wire", "5000000"), ("mqtt-session", "50000"),
        ("stomp-wire", "5000000"), ("stomp-session", "20000"),
        ("openwire-wire", "5000000"), ("openwire-session", "20000"),
        ("router-control", "100000"), ("router-management", "200000"),
    ];
    foreach (var (target, count) in targets)
    {
        string[] arguments = ["--target", target, "--count", count];
        bool good = Run(Executable("Pillarbox.Fuzz"), arguments, timeoutMinutes: 15) == 0;
        total = good ? total with { Passed = total.Passed + 1 } : total with { Failed = total.Failed + 1 };
    }

    return total;
}

IEnumerable<string> TestProjects(string[] names) =>
    Directory.EnumerateFiles(Path.Combine(root, "tests"), "*.Tests.csproj", SearchOption.AllDirectories)
        .Select(path => Path.GetFileNameWithoutExtension(path)!)
        .Where(p => names.Length == 0 || names.Any(n => p.Contains(n, StringComparison.OrdinalIgnoreCase)))
        .Order(StringComparer.Ordinal);

(int Passed, int Failed, int Skipped) RunTests(string project, string resultFile)
{
    int code = Run(Executable(project), ["-noLogo", "-noColor", "-xml", resultFile], timeoutMinutes: 20);
    if (!File.Exists(resultFile)) return (0, 1, 0);
    var assemblies = XDocument.Load(resultFile).Descendants("assembly").ToList();
    int Sum(string attribute) => assemblies.Sum(a => (int?)a.Attribute(attribute) ?? 0);
    int failed = Sum("failed") + Sum("errors");
    return (Sum("passed"), code != 0 ? Math.Max(failed, 1) : failed, Sum("skipped"));
}

// Foreign clients drive the real server, so they must be here: Proton for Python and C, Cyrus SASL, kcat, librdkafka,
// kafka-python, mosquitto's clients, paho, stomp.py, ActiveMQ's Java client and RabbitMQ from Debian; rhea, kafkajs,
// @platformatic/kafka, no-kafka, mqtt and @stomp/stompjs from npm.
void InstallTestNeeds()
{
    (string Package, bool Here)[] needs =
    [
        ("python3-qpid-proton", Succeeds("/usr/bin/python3", "-c", "import proton")),
        ("libqpid-proton11-dev", File.Exists("/usr/include/proton/version.h")),
        ("libsasl2-modules", File.Exists("/usr/lib/x86_64-linux-gnu/sasl2/libscram.so")),
        ("gcc", Succeeds("gcc", "--version")),
        ("libc6-dev", File.Exists("/usr/include/stdio.h")),
        ("kcat", Succeeds("kcat", "-V")),
        ("librdkafka-dev", File.Exists("/usr/include/librdkafka/rdkafka.h")),
        ("python3-kafka", Succeeds("/usr/bin/python3", "-c", "import kafka")),
        ("rabbitmq-server", Directory.Exists("/usr/lib/rabbitmq")),
        ("python3-stomp", Succeeds("/usr/bin/python3", "-c", "import stomp")),
        ("python3-lz4", Succeeds("/usr/bin/python3", "-c", "import lz4")),
        ("python3-snappy", Succeeds("/usr/bin/python3", "-c", "import snappy")),
        ("python3-zstandard", Succeeds("/usr/bin/python3", "-c", "import zstandard")),
        ("mosquitto-clients", File.Exists("/usr/bin/mosquitto_pub")),
        ("python3-paho-mqtt", Succeeds("/usr/bin/python3", "-c", "import paho.mqtt.client")),
        ("openjdk-17-jdk-headless", Succeeds("javac", "--version")),
        ("libactivemq-java", File.Exists("/usr/share/java/activemq-client.jar")),
        ("libpostgresql-jdbc-java", File.Exists("/usr/share/java/postgresql.jar")),
        ("postgresql", Directory.Exists("/usr/lib/postgresql")),
        ("libslf4j-java", File.Exists("/usr/share/java/slf4j-nop.jar")),
        ("iproute2", Succeeds("ip", "-V")),
        ("nodejs", Succeeds("node", "--version")),
        ("npm", Succeeds("npm", "--version")),
    ];
    string[] missing = [.. needs.Where(n => !n.Here).Select(n => n.Package)];
    if (missing.Length > 0) InstallPackages(missing);
    string[] npm = ["--ignore-scripts", "--no-audit", "--no-fund"];
    string[] clients =
        ["rhea", "WebSocket", "Mqtt/mqttjs", "Kafka/kafkajs", "Kafka/oldjs", "Kafka/platformatic"];
    foreach (string folder in clients.Select(c => Path.Combine(root, "tests", "Interop", c)))
    {
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
            Locked(() => Run("npm", ["ci", "--prefix", folder, "--loglevel=error", .. npm]));
    }
}

void InstallPackages(string[] packages)
{
    Console.WriteLine($"The tests need {string.Join(", ", packages)}: installing.");
    string[] apt = ["apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=600"];
    if (Environment.UserName != "root") apt = ["sudo", .. apt];
    Run(apt[0], [.. apt[1..], "update"]);
    if (Run(apt[0], [.. apt[1..], "install", "--no-install-recommends", .. packages]) != 0)
        Console.WriteLine("Could not install them: the tests that need them will fail and say so.");
}

// ---- pack ---------------------------------------------------------------------------------------------------------

int Pack()
{
    const string Rid = "linux-x64";
    string program = Path.Combine(artifacts, Rid);
    string packages = Path.Combine(artifacts, "packages");
    string[] quiet = ["-c", "Release", "-v", "q", "-nologo", "-nodeReuse:false"];
    string[] publish = ["publish", "src/Server", .. quiet, "-p:PillarboxSingleFile=true", "-o", program];
    if (Locked(() => Run("dotnet", publish)) is var published and not 0) return published;
    string[] pack = ["pack", "Pillarbox.slnx", .. quiet, "-o", packages];
    if (Locked(() => Run("dotnet", pack)) is var packed and not 0) return packed;
    foreach (string file in Directory.GetFiles(packages, "*.nupkg").Append(Path.Combine(program, "pillarbox")))
        Console.WriteLine($"{new FileInfo(file).Length / 1048576.0,7:F1} MiB  {Path.GetRelativePath(root, file)}");
    return TryPackages(packages);
}

// As somebody else would use them, without this repository: the tool is installed, the README's programs are built, and
// the one that ends by itself is run.
int TryPackages(string packages)
{
    const string Library = "Pillarbox.Hosting", TestLibrary = "Pillarbox.Testing", Tool = "Pillarbox";
    FileInfo newest = new DirectoryInfo(packages).GetFiles($"{Library}.*.nupkg").MaxBy(f => f.LastWriteTimeUtc)!;
    string version = Path.GetFileNameWithoutExtension(newest.Name)[(Library.Length + 1)..];
    string folder = Directory.CreateTempSubdirectory("pillarbox-pack-").FullName;
    // The user's own cache may have packages of this version from another build.
    Environment.SetEnvironmentVariable("NUGET_PACKAGES", Path.Combine(folder, "cache"));
    string[] install = ["tool", "install", Tool, "--version", version, "--add-source", packages];
    bool good = Run("dotnet", [.. install, "--tool-path", Path.Combine(folder, "tool")]) == 0
        && Run(Path.Combine(folder, "tool", "pillarbox"), ["--version"]) == 0;
    foreach (string program in ReadmePrograms())
    {
        bool ends = program.Contains($"using {TestLibrary};", StringComparison.Ordinal);
        string place = Path.Combine(folder, ends ? TestLibrary : Library);
        WriteProgram(place, program, ends ? TestLibrary : Library, version, packages);
        good = good && Run("dotnet", ["build", place, "-c", "Release", "-v", "q", "-nologo", "-nodeReuse:false"]) == 0
            && (!ends || Run(Path.Combine(place, "bin", "Release", "net10.0", "program"), []) == 0);
    }
    Directory.Delete(folder, recursive: true);
    return good ? 0 : Print("The packages cannot be used as the README says.", 1);
}

string[] ReadmePrograms() =>
    [.. File.ReadAllText(Path.Combine(root, "README.md")).Split("```csharp\n").Skip(1).Select(t => t.Split("```")[0])];

void WriteProgram(string place, string program, string package, string version, string packages)
{
    Directory.CreateDirectory(place);
    File.WriteAllText(Path.Combine(place, "program.cs"), program);
    File.WriteAllText(Path.Combine(place, "program.csproj"), $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <RestoreAdditionalProjectSources>{packages}</RestoreAdditionalProjectSources>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="{package}" Version="[{version}]" />
          </ItemGroup>
        </Project>
        """);
}

// ---- processes ----------------------------------------------------------------------------------------------------

int Build(string what, params string[] more) =>
    Locked(() => Run("dotnet", ["build", what, "-c", "Release", "-v", "q", "-nologo", "-nodeReuse:false", .. more]));

string Executable(string project, string? name = null) =>
    Path.Combine(artifacts, "bin", project, "release", name ?? project);

// Two runs in one clone must not write the same artifacts at once; runs in two clones never meet.
int Locked(Func<int> work)
{
    Directory.CreateDirectory(artifacts);
    string path = Path.Combine(artifacts, ".lock");
    while (true)
    {
        FileStream held;
        try
        {
            held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            Thread.Sleep(500);
            continue;
        }
        using (held) return work();
    }
}

int Run(string program, string[] arguments, int timeoutMinutes = 0)
{
    using Process process = Start(program, arguments, quiet: false);
    // Ctrl+C reaches the child by itself; this program stays until the child has ended. SIGTERM is passed on.
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => c.Cancel = true);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c =>
    {
        c.Cancel = true;
        Process.Start("kill", ["-TERM", $"{process.Id}"]);
    });
    if (process.WaitForExit(timeoutMinutes == 0 ? -1 : timeoutMinutes * 60_000)) return process.ExitCode;
    Console.WriteLine($"{program} did not end within {timeoutMinutes} minutes: stopped.");
    process.Kill(entireProcessTree: true);
    return 1;
}

bool Succeeds(string program, params string[] arguments)
{
    try
    {
        using Process process = Start(program, arguments, quiet: true);
        process.WaitForExit();
        return process.ExitCode == 0;
    }
    catch (System.ComponentModel.Win32Exception)
    {
        return false;
    }
}

Process Start(string program, string[] arguments, bool quiet)
{
    var start = new ProcessStartInfo(program, arguments)
    {
        WorkingDirectory = root,
        RedirectStandardOutput = quiet,
        RedirectStandardError = quiet,
    };
    start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
    return Process.Start(start)!;
}

int Print(string text, int code)
{
    Console.WriteLine(text);
    return code;
}
