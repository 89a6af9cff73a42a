using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>SCRAM without channel binding, client side; see <see cref="ScramServer"/> for the exchange.</summary>
internal sealed class ScramClient : ISaslClient
{
    private const string Gs2Header = "n,,";
    private const int NonceBytes = 18;

    private readonly ScramHash _hash;
    private readonly Secret _password;
    private readonly string _nonce;
    private readonly string _firstBare;
    private byte[]? _serverSignature;
    private bool _proven;

    public ScramClient(ScramHash hash, string user, Secret password, IRandom random)
        : this(hash, user, password, Nonce(random))
    {
    }

    internal ScramClient(ScramHash hash, string user, Secret password, string nonce)
    {
        _hash = hash;
        _password = password;
        _nonce = nonce;
        _firstBare = $"n={ScramText.Escape(SaslText.Prepare(user))},r={nonce}";
    }

    public string Mechanism => _hash.Mechanism;

    public byte[] Start() => Encoding.UTF8.GetBytes(Gs2Header + _firstBare);

    public byte[] Step(ReadOnlySpan<byte> challenge)
    {
        if (!ScramText.TryDecode(challenge, out string text))
        {
            throw Broken("a message that is too long or not UTF-8");
        }

        if (_serverSignature is not null)
        {
            // Some servers send the final message as a challenge and the outcome after an empty response.
            Finish(challenge);
            return [];
        }

        return text.Length == 0 ? Start() : AnswerFirst(text);
    }

    public void Finish(ReadOnlySpan<byte> additionalData)
    {
        if (_proven && additionalData.IsEmpty)
        {
            return;
        }

        ReadOnlySpan<char> rest = ScramText.TryDecode(additionalData, out string text) ? text : "";
        if (_serverSignature is null
            || !ScramText.TryTake(ref rest, 'v', out ReadOnlySpan<char> signature)
            || !ScramText.TryBase64(signature, out byte[]? bytes)
            || !CryptographicOperations.FixedTimeEquals(bytes, _serverSignature))
        {
            throw new SaslException(
                $"the server did not prove that it knows the user ({Mechanism}): it may not be the real one");
        }

        _proven = true;
    }

    private static string Nonce(IRandom random)
    {
        Span<byte> bytes = stackalloc byte[NonceBytes];
        random.Fill(bytes);
        return Convert.ToBase64String(bytes);
    }

    private byte[] AnswerFirst(string serverFirst)
    {
        ReadOnlySpan<char> rest = serverFirst;
        if (!ScramText.TryTake(ref rest, 'r', out ReadOnlySpan<char> nonce)
            || !ScramText.TryTake(ref rest, 's', out ReadOnlySpan<char> saltText)
            || !ScramText.TryTake(ref rest, 'i', out ReadOnlySpan<char> countText)
            || !ScramText.TryBase64(saltText, out byte[]? salt)
            || !int.TryParse(countText, NumberStyles.None, CultureInfo.InvariantCulture, out int iterations))
        {
            throw Broken("a malformed first message");
        }

        if (!ScramText.IsNonce(nonce) || !nonce.StartsWith(_nonce) || nonce.Length == _nonce.Length)
        {
            throw Broken("a nonce that does not continue ours");
        }

        if (iterations is < ScramHash.IterationsMin or > ScramHash.IterationsMax)
        {
            throw Broken(
                $"an iteration count of {iterations}, outside {ScramHash.IterationsMin} to {ScramHash.IterationsMax}");
        }

        string withoutProof = $"c={Convert.ToBase64String(Encoding.UTF8.GetBytes(Gs2Header))},r={nonce}";
        string authMessage = $"{_firstBare},{serverFirst},{withoutProof}";
        byte[] salted = _hash.SaltedPassword(SaslText.Prepare(_password), salt, iterations);
        byte[] clientKey = _hash.ClientKey(salted);
        byte[] proof = ScramHash.Xor(clientKey, _hash.Sign(_hash.Hash(clientKey), authMessage));
        _serverSignature = _hash.Sign(_hash.ServerKey(salted), authMessage);
        return Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(proof)}");
    }

    private SaslException Broken(string what) => new($"the server sent {what} ({Mechanism})");
}
