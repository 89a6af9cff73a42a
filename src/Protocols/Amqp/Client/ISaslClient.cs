using System.Text;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>One way to log in, seen from the client (part 5 section 5.3). One use each.</summary>
public interface ISaslClient
{
    /// <summary>The mechanism's registered name.</summary>
    string Mechanism { get; }

    /// <summary>What goes with the choice of the mechanism; null when the server speaks first.</summary>
    byte[]? Start();

    /// <summary>Answers a challenge; null when the server does not prove what it has to.</summary>
    byte[]? Answer(ReadOnlySpan<byte> challenge);

    /// <summary>Judges what came with the server's outcome "ok"; false when the server did not prove who it is.</summary>
    bool Complete(ReadOnlySpan<byte> additionalData);
}

/// <summary>No login (RFC 4505).</summary>
public sealed class AnonymousSasl : ISaslClient
{
    public string Mechanism => "ANONYMOUS";

    public byte[] Start() => "anonymous"u8.ToArray();

    public byte[]? Answer(ReadOnlySpan<byte> challenge) => null;

    public bool Complete(ReadOnlySpan<byte> additionalData) => true;
}

/// <summary>Name and password as they are (RFC 4616): NUL name NUL password.</summary>
public sealed class PlainSasl(string user, string password) : ISaslClient
{
    public string Mechanism => "PLAIN";

    public byte[] Start() => Encoding.UTF8.GetBytes($"\0{user}\0{password}");

    public byte[]? Answer(ReadOnlySpan<byte> challenge) => null;

    public bool Complete(ReadOnlySpan<byte> additionalData) => true;
}

/// <summary>The identity that TLS has shown already (RFC 4422 appendix A).</summary>
public sealed class ExternalSasl : ISaslClient
{
    public string Mechanism => "EXTERNAL";

    public byte[] Start() => [];

    public byte[]? Answer(ReadOnlySpan<byte> challenge) => [];

    public bool Complete(ReadOnlySpan<byte> additionalData) => true;
}
