using System.Collections;
using System.CommandLine;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Server.Cli;

/// <summary>The flags that say what a node is configured with, for every verb that needs it.</summary>
internal sealed class ConfigOptions
{
    private const string DefaultFile = "pillarbox.json";

    private readonly Option<string?> _data = new("--data")
    {
        Description = "The data directory (default ./data); :memory: keeps nothing.",
    };

    private readonly Option<string?> _file = new("--config")
    {
        Description = "The configuration file (default: pillarbox.json when it is there).",
    };

    private readonly Option<string[]> _listen = new("--listen")
    {
        Description = $"PROTOCOL=HOST:PORT ({ListenerConfig.ProtocolNames}); repeatable; replaces the configured. "
            + "Port 0: a free one.",
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "PATH=VALUE: one setting, e.g. limits.cacheBytes=134217728; repeatable.",
    };

    /// <summary>The flags that say where the data is.</summary>
    public void AddDataTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_file);
    }

    /// <summary>All flags.</summary>
    public void AddTo(Command command)
    {
        AddDataTo(command);
        command.Options.Add(_listen);
        command.Options.Add(_set);
    }

    /// <summary>The configuration of file, environment and flags. Throws <see cref="ConfigException"/>.</summary>
    public PillarboxConfig Load(ParseResult parsed)
    {
        string? data = parsed.GetValue(_data);
        string[] listen = parsed.GetValue(_listen) ?? [];
        var listeners = Listeners(listen);
        return ConfigLoader.Load(new ConfigSources
        {
            File = parsed.GetValue(_file) ?? ConfigLoader.FindFile(DefaultFile),
            Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal),
            Settings = [.. (parsed.GetValue(_set) ?? []).Select(s => Pair(s, "--set PATH=VALUE"))],
            Flags = config => config with
            {
                DataDirectory = data ?? config.DataDirectory,
                Listeners = listeners.Count > 0 ? listeners : config.Listeners,
            },
        });
    }

    private static Dictionary<string, ListenerConfig> Listeners(string[] listen)
    {
        var listeners = new Dictionary<string, ListenerConfig>();
        foreach (string text in listen)
        {
            (string name, string address) = Pair(text, "--listen PROTOCOL=HOST:PORT");
            if (!ListenerConfig.TryProtocol(name, out ListenerProtocol protocol))
            {
                throw new ConfigException(
                    $"--listen {text}: '{name}' is no protocol; write {ListenerConfig.ProtocolNames}");
            }

            if (!ListenAddress.TryParse(address, out _, out string? error))
            {
                throw new ConfigException($"--listen {text}: the address {error}");
            }

            IReadOnlyList<string> before = listeners.GetValueOrDefault(name)?.Addresses ?? [];
            listeners[name] = new ListenerConfig { Protocol = protocol, Addresses = [.. before, address] };
        }

        return listeners;
    }

    private static KeyValuePair<string, string> Pair(string text, string shape)
    {
        int equals = text.IndexOf('=');
        return equals > 0
            ? new KeyValuePair<string, string>(text[..equals], text[(equals + 1)..])
            : throw new ConfigException($"'{text}' is not {shape}");
    }
}
