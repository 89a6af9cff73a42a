using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>What a <c>qdrouterd.conf</c> makes of a node. Immutable.</summary>
/// <param name="Config">The node's configuration.</param>
/// <param name="Logs">What is logged, by module, in the order of the file.</param>
/// <param name="Notes">Sentences on what is in the file and has no effect here.</param>
public sealed record RouterConfFile(
    PillarboxConfig Config, IReadOnlyList<RouterConfLog> Logs, IReadOnlyList<string> Notes)
{
    private const int FileBytesMax = 4 << 20;

    /// <summary>A listener that anybody in the network could connect to, though the file does not say so; null:
    /// none.</summary>
    public string? ExposedListener => Config.Security is { Required: false, Permissions.Count: 0 }
        ? Config.Listeners.FirstOrDefault(listener => !IsLocal(listener.Value)).Key
        : null;

    private static bool IsLocal(ListenerConfig listener) => listener.Addresses.All(
        place => ListenAddress.TryParse(place, out ListenAddress? address, out _) && address.IsLocal);

    /// <summary>Reads a file. Throws <see cref="ConfigException"/> with the line for what is wrong.</summary>
    /// <param name="path">The file.</param>
    /// <param name="usersFile">The file of users who log in with a password; null: there are none.</param>
    public static RouterConfFile Load(string path, string? usersFile = null)
    {
        string text;
        try
        {
            text = ConfigFiles.ReadText(path, FileBytesMax);
        }
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ConfigException($"cannot read {path}: {ConfigFiles.Explain(e)}");
        }

        return Parse(path, text, usersFile);
    }

    /// <summary>The same of a text.</summary>
    public static RouterConfFile Parse(string source, string text, string? usersFile = null)
    {
        try
        {
            return ConfMapper.Map(source, ConfReader.Read(text), usersFile);
        }
        catch (ConfSyntaxException fault)
        {
            throw new ConfigException($"{source}: {fault.Message}");
        }
    }
}
