using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Pillarbox.Broker.Security;

/// <summary>
/// The names that a certificate gives its holder, in the order in which they are looked up among users:
/// <c>key:HEX</c> (SHA-256 of the public key info), <c>uri:...</c>, <c>email:...</c>, <c>dns:...</c> (subject
/// alternative names), <c>cn:...</c> (the common name, only when there is exactly one and no alternative name). Read
/// from the encoded fields, never from a distinguished name's text.
/// </summary>
internal static class CertificateNames
{
    /// <summary>The most alternative names that are looked at.</summary>
    public const int NamesMax = 64;

    private const string CommonNameOid = "2.5.4.3";
    private const string AlternativeNameOid = "2.5.29.17";

    /// <summary>The prefixes that a user's certificate names may have.</summary>
    public static readonly string[] Prefixes = ["key:", "uri:", "email:", "dns:", "cn:"];

    public static IReadOnlyList<string> Of(X509Certificate2 certificate)
    {
        byte[] publicKey = certificate.PublicKey.ExportSubjectPublicKeyInfo();
        var names = new List<string> { "key:" + Convert.ToHexStringLower(SHA256.HashData(publicKey)) };
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == AlternativeNameOid)
            {
                AddAlternativeNames(extension.RawData, names);
            }
        }

        if (names.Count == 1 && CommonName(certificate.SubjectName) is { } commonName)
        {
            names.Add("cn:" + commonName);
        }

        return names;
    }

    /// <summary>RFC 5280 section 4.2.1.6: GeneralNames ::= SEQUENCE OF [1] rfc822Name | [2] dNSName | [6] URI |
    /// others.</summary>
    private static void AddAlternativeNames(byte[] encoded, List<string> names)
    {
        try
        {
            AsnReader sequence = new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence();
            while (sequence.HasData && names.Count < NamesMax)
            {
                Asn1Tag tag = sequence.PeekTag();
                string? prefix = tag.TagClass != TagClass.ContextSpecific ? null : tag.TagValue switch
                {
                    1 => "email:",
                    2 => "dns:",
                    6 => "uri:",
                    _ => null,
                };
                if (prefix is null)
                {
                    sequence.ReadEncodedValue();
                    continue;
                }

                names.Add(prefix + sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            }
        }
        catch (Exception e) when (e is AsnContentException or DecoderFallbackException)
        {
            // A certificate that a trusted authority signed but that cannot be read names nobody beyond this point.
        }
    }

    private static string? CommonName(X500DistinguishedName subject)
    {
        string? found = null;
        foreach (X500RelativeDistinguishedName part in subject.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements || part.GetSingleElementType().Value != CommonNameOid)
            {
                continue;
            }

            if (found is not null)
            {
                return null;
            }

            found = part.GetSingleElementValue();
        }

        return found;
    }
}
