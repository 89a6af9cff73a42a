using System.Security.Cryptography;
using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>
/// SCRAM without channel binding (RFC 5802, RFC 7677), server side:
/// <code>
/// C: n,,n=user,r=cnonce                     client-first-message (gs2-header, then client-first-message-bare)
/// S: r=cnonce+snonce,s=salt,i=iterations    server-first-message
/// C: c=biws,r=cnonce+snonce,p=proof         client-final-message
/// S: v=signature                            server-final-message, with the outcome
/// </code>
/// An unknown user goes the same way with a made-up salt that stays the same for the name, and fails at the proof.
/// The server's cost is a few HMACs: it never computes the iterations.
/// </summary>
internal sealed class ScramServer : ISaslServer
{
    private const int NonceBytes = 18;

    private readonly ScramHash _hash;
    private readonly UserStore _users;
    private readonly string _serverNonce;
    private State _state = State.First;
    private string _gs2Header = "";
    private string _clientFirstBare = "";
    private string _nonce = "";
    private string _serverFirst = "";
    private ScramVerifier? _verifier;

    public ScramServer(ScramHash hash, UserStore users, IRandom random)
        : this(hash, users, Nonce(random))
    {
    }

    internal ScramServer(ScramHash hash, UserStore users, string serverNonce)
    {
        _hash = hash;
        _users = users;
        _serverNonce = serverNonce;
    }

    private enum State
    {
        First,
        Final,
        Over,
    }

    public string Mechanism => _hash.Mechanism;

    public SaslStep Step(ReadOnlySpan<byte> response)
    {
        if (!ScramText.TryDecode(response, out string text))
        {
            return Fail("the SCRAM message is too long or not UTF-8");
        }

        switch (_state)
        {
            case State.First when text.Length == 0:
                return SaslStep.Challenge(default);
            case State.First:
                return OnFirst(text);
            case State.Final:
                return OnFinal(text);
            default:
                return Fail("the SCRAM exchange is over");
        }
    }

    public ValueTask<SaslStep> VerifyAsync(CancellationToken cancellation) =>
        throw new InvalidOperationException("nothing to verify");

    public void Dispose()
    {
    }

    private static string Nonce(IRandom random)
    {
        Span<byte> bytes = stackalloc byte[NonceBytes];
        random.Fill(bytes);
        return Convert.ToBase64String(bytes);
    }

    private SaslStep OnFirst(string text)
    {
        if (!TryParseFirst(text, out string user, out string clientNonce, out string fault))
        {
            return Fail(fault);
        }

        _nonce = clientNonce + _serverNonce;
        _verifier = _users.FindScram(user, _hash);
        _serverFirst = $"r={_nonce},s={Convert.ToBase64String(_verifier.Salt)},i={_verifier.Iterations}";
        _state = State.Final;
        return SaslStep.Challenge(Encoding.UTF8.GetBytes(_serverFirst));
    }

    private bool TryParseFirst(string text, out string user, out string clientNonce, out string fault)
    {
        user = clientNonce = "";
        ReadOnlySpan<char> rest = text;

        // gs2-header = gs2-cbind-flag "," [authzid] ","; only "n" and "y": channel binding is not offered.
        if (!(rest.StartsWith("n,") || rest.StartsWith("y,")))
        {
            fault = "channel binding is not supported";
            return false;
        }

        rest = rest[2..];
        bool actsFor = ScramText.TryTake(ref rest, 'a', out ReadOnlySpan<char> actFor);
        if (!actsFor && !TakeComma(ref rest))
        {
            fault = "the SCRAM gs2 header is malformed";
            return false;
        }

        _gs2Header = text[..^rest.Length];
        _clientFirstBare = rest.ToString();
        fault = "the SCRAM client-first message is malformed";
        if (!ScramText.TryTake(ref rest, 'n', out ReadOnlySpan<char> name)
            || !ScramText.TryTake(ref rest, 'r', out ReadOnlySpan<char> nonce)
            || !ScramText.IsNonce(nonce) || !ScramText.TryUnescape(name, out string? unescaped))
        {
            return false;
        }

        user = unescaped;
        clientNonce = nonce.ToString();
        fault = "acting for another user is not supported";
        return !actsFor || actFor.SequenceEqual(name);
    }

    private static bool TakeComma(ref ReadOnlySpan<char> rest)
    {
        bool there = rest.StartsWith(",");
        rest = there ? rest[1..] : rest;
        return there;
    }

    private SaslStep OnFinal(string text)
    {
        Invariant.That(_verifier is not null);
        ReadOnlySpan<char> rest = text;
        int proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (proofAt < 0
            || !ScramText.TryTake(ref rest, 'c', out ReadOnlySpan<char> binding)
            || !ScramText.TryTake(ref rest, 'r', out ReadOnlySpan<char> nonce)
            || !ScramText.TryBase64(text.AsSpan(proofAt + 3), out byte[]? proof) || proof.Length != _hash.Size)
        {
            return Fail("the SCRAM client-final message is malformed");
        }

        // Older librdkafka puts its own nonce before the whole nonce once more. The proof covers what was sent, so an
        // end that is right binds the message to this exchange as well.
        if (!binding.SequenceEqual(Convert.ToBase64String(Encoding.UTF8.GetBytes(_gs2Header)))
            || !nonce.EndsWith(_nonce))
        {
            return Fail("the SCRAM client-final message does not belong to this exchange");
        }

        string authMessage = $"{_clientFirstBare},{_serverFirst},{text[..proofAt]}";
        byte[] signature = _hash.Sign(_verifier.StoredKey, authMessage);
        byte[] stored = _hash.Hash(ScramHash.Xor(proof, signature));
        bool proven = CryptographicOperations.FixedTimeEquals(stored, _verifier.StoredKey);
        if (!proven || _verifier.Identity is null)
        {
            return Fail("unknown user or wrong password");
        }

        _state = State.Over;
        string final = "v=" + Convert.ToBase64String(_hash.Sign(_verifier.ServerKey, authMessage));
        return SaslStep.Succeeded(_verifier.Identity, Encoding.UTF8.GetBytes(final));
    }

    private SaslStep Fail(string reason)
    {
        _state = State.Over;
        return SaslStep.Failed(reason);
    }
}

/// <summary>What a server keeps of a password for SCRAM (RFC 5802 section 3). Identity is null for a made-up
/// one.</summary>
internal sealed record ScramVerifier(
    byte[] Salt, int Iterations, byte[] StoredKey, byte[] ServerKey, Identity? Identity);
