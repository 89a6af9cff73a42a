namespace Pillarbox.Broker.Security.Sasl;

/// <summary>The server did not keep to the mechanism, or could not prove that it knows the user. The message is for the
/// user.</summary>
public sealed class SaslException(string message) : Exception(message);

/// <summary>The client's side of one SASL exchange (RFC 4422). Pure; owned by one connection. A server that breaks the
/// rules gives <see cref="SaslException"/>.</summary>
public interface ISaslClient
{
    /// <summary>The mechanism's registered name.</summary>
    string Mechanism { get; }

    /// <summary>The initial response.</summary>
    byte[] Start();

    /// <summary>The answer to a challenge. For SCRAM it costs the server's number of hash iterations.</summary>
    byte[] Step(ReadOnlySpan<byte> challenge);

    /// <summary>The server said success, perhaps with data: throws unless the mechanism's own proof (SCRAM's server
    /// signature) holds.</summary>
    void Finish(ReadOnlySpan<byte> additionalData);
}
