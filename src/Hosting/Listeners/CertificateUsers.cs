using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Model;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// The users that certificates name by themselves: whoever shows one of the listener's authorities is the user whose
/// name is made of it. Immutable.
/// </summary>
internal sealed class CertificateUsers
{
    /// <summary>The letters that a format may have: country, state, locality, organisation, unit, common name; and the
    /// certificate's fingerprint by SHA-1, SHA-256 and SHA-512.</summary>
    public const string Letters = "csloun125";

    private const char Separator = ';';
    private const int FileBytesMax = 1 << 20;

    private static readonly Dictionary<char, string> Oids = new()
    {
        ['c'] = "2.5.4.6",
        ['s'] = "2.5.4.8",
        ['l'] = "2.5.4.7",
        ['o'] = "2.5.4.10",
        ['u'] = "2.5.4.11",
        ['n'] = "2.5.4.3",
    };

    private readonly string _format;
    private readonly IReadOnlyDictionary<string, string> _names;
    private readonly string[] _roles;

    private CertificateUsers(string format, IReadOnlyDictionary<string, string> names, IEnumerable<string> roles)
    {
        _format = format;
        _names = names;
        _roles = [.. roles];
    }

    /// <summary>As a listener has it; null: certificates name nobody by themselves. Throws
    /// <see cref="StartException"/> when the file of names cannot be used.</summary>
    public static CertificateUsers? Of(TlsConfig? tls) => tls?.ClientNames is not { } config ? null
        : new CertificateUsers(
            LettersOf(config.Format), config.NamesFile is { } file ? ReadNames(file) : new Dictionary<string, string>(),
            config.Roles);

    /// <summary>Whether a format is one: letters, each once, with or without ';' between, or none.</summary>
    public static bool IsFormat(string format)
    {
        string letters = LettersOf(format);
        return letters.All(Letters.Contains) && letters.Distinct().Count() == letters.Length
            && (letters.Length == format.Length || format.Split(Separator).All(letter => letter.Length == 1));
    }

    /// <summary>Whom a certificate names; null: nobody, for it has none of the parts.</summary>
    public Identity? Of(X509Certificate2 certificate)
    {
        string name = _format.Length == 0
            ? SubjectText.Write(certificate.SubjectName)
            : string.Join(Separator, _format.Select(letter => PartOf(certificate, letter)).OfType<string>());
        return name.Length == 0 ? null
            : new Identity(_names.GetValueOrDefault(name, name), _roles, IsAnonymous: false);
    }

    private static string LettersOf(string format) => format.Replace($"{Separator}", "", StringComparison.Ordinal);

    // Null: it has no such part.
    private static string? PartOf(X509Certificate2 certificate, char letter) => letter switch
    {
        '1' => certificate.GetCertHashString(HashAlgorithmName.SHA1).ToLowerInvariant(),
        '2' => certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(),
        '5' => certificate.GetCertHashString(HashAlgorithmName.SHA512).ToLowerInvariant(),
        _ => SubjectText.PartsOf(certificate.SubjectName).FirstOrDefault(part => part.Oid == Oids[letter])?.Text
            is { Length: > 0 } text ? text : null,
    };

    private static Dictionary<string, string> ReadNames(string file)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(ConfigFiles.ReadText(file, FileBytesMax));
            return json.RootElement.EnumerateObject().ToDictionary(
                entry => entry.Name, entry => entry.Value.GetString() ?? "");
        }
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or ArgumentException or JsonException
                or InvalidOperationException)
        {
            throw new StartException($"cannot use the names of certificates in {file}: {ConfigFiles.Explain(e)}", e);
        }
    }
}
