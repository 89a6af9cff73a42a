using System.Text.Json;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>The files of a policy's directory: JSON lists of <c>["vhost", {...}]</c>, in the order of their
/// names.</summary>
internal static class PolicyFiles
{
    private const int FileBytesMax = 4 << 20;
    private const int FilesMax = 1000;

    /// <summary>All virtual hosts of a directory. Throws <see cref="ConfigException"/> with the file that is
    /// wrong.</summary>
    public static IEnumerable<(string Name, VhostConfig Vhost)> Read(string directory)
    {
        foreach (string path in FilesOf(directory))
        {
            foreach (ConfEntity entity in EntitiesOf(path))
            {
                var reader = new EntityReader(entity, path, []);
                if (entity.Type != "vhost")
                {
                    throw reader.Fault($"a policy's file holds virtual hosts, and no '{entity.Type}'");
                }

                yield return PolicyMapper.VhostOf(reader);
            }
        }
    }

    private static IEnumerable<string> FilesOf(string directory)
    {
        try
        {
            return ConfigFiles.List(directory, ".json").Take(FilesMax);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"cannot read the policy's directory {directory}: {ConfigFiles.Explain(e)}");
        }
    }

    private static IEnumerable<ConfEntity> EntitiesOf(string path)
    {
        try
        {
            return ConfReader.Read(ConfigFiles.ReadText(path, FileBytesMax));
        }
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or ConfSyntaxException or JsonException)
        {
            throw new ConfigException($"{path}: {ConfigFiles.Explain(e)}");
        }
    }
}
