using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>The ways in which a <c>qdrouterd.conf</c> gives a password: <c>env:NAME</c>, <c>file:PATH</c>,
/// <c>pass:TEXT</c>, <c>literal:TEXT</c>, or the text itself.</summary>
internal static class ConfSecrets
{
    public static Secret Read(EntityReader reader, string text)
    {
        int colon = text.IndexOf(':');
        string rest = text[(colon + 1)..];
        return new Secret((colon < 0 ? "" : text[..colon]) switch
        {
            "env" => Environment.GetEnvironmentVariable(rest)
                ?? throw reader.Fault($"the environment variable '{rest}' is not set"),
            "file" => ReadFile(reader, rest),
            "pass" or "literal" => rest,
            _ => text,
        });
    }

    private static string ReadFile(EntityReader reader, string path)
    {
        try
        {
            return CertificateLoader.ReadPassword(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw reader.Fault($"cannot read the password file {path}: {ConfigFiles.Explain(e)}");
        }
    }
}
