using System.Text;
using System.Text.Unicode;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>
/// PLAIN (RFC 4616): <c>[authzid] NUL authcid NUL passwd</c>, all UTF-8. Acting for somebody else (an authzid other
/// than the user) is refused. Without users any password logs in (development mode).
/// </summary>
internal sealed class PlainServer(UserStore? users) : ISaslServer
{
    private string _user = "";
    private Secret? _password;

    public string Mechanism => SaslServers.Plain;

    public SaslStep Step(ReadOnlySpan<byte> response)
    {
        if (response.IsEmpty)
        {
            return SaslStep.Challenge(default);
        }

        if (!TryParse(response, out var actFor, out var user, out var password))
        {
            return SaslStep.Failed("the PLAIN response is malformed");
        }

        if (!actFor.IsEmpty && !actFor.SequenceEqual(user))
        {
            return SaslStep.Failed("acting for another user is not supported");
        }

        _user = Encoding.UTF8.GetString(user);
        if (users is null)
        {
            return SaslStep.Succeeded(new Identity(_user, [], IsAnonymous: false));
        }

        _password = new Secret(password);
        return users.FindVerified(_user, _password) is { } known
            ? Finish(SaslStep.Succeeded(known))
            : new SaslStep(SaslStatus.Verify);
    }

    public async ValueTask<SaslStep> VerifyAsync(CancellationToken cancellation)
    {
        Invariant.That(users is not null && _password is not null);
        PasswordCheck check = await users.VerifyAsync(_user, _password, cancellation).ConfigureAwait(false);
        return Finish(check.Status switch
        {
            PasswordStatus.Right => SaslStep.Succeeded(check.Identity!),
            PasswordStatus.Busy => new SaslStep(SaslStatus.Busy, Reason: "too many passwords are being checked"),
            _ => SaslStep.Failed("unknown user or wrong password"),
        });
    }

    public void Dispose() => _password?.Dispose();

    private static bool TryParse(
        ReadOnlySpan<byte> response, out ReadOnlySpan<byte> actFor, out ReadOnlySpan<byte> user,
        out ReadOnlySpan<byte> password)
    {
        actFor = user = password = default;
        int first = response.IndexOf((byte)0);
        int second = first < 0 ? -1 : response[(first + 1)..].IndexOf((byte)0);
        if (second < 0 || !Utf8.IsValid(response))
        {
            return false;
        }

        actFor = response[..first];
        user = response[(first + 1)..(first + 1 + second)];
        password = response[(first + second + 2)..];
        return user.Length is > 0 and <= UserStore.NameBytesMax
            && password.Length is > 0 and <= Secret.BytesMax
            && !password.Contains((byte)0);
    }

    private SaslStep Finish(SaslStep step)
    {
        _password?.Dispose();
        _password = null;
        return step;
    }
}
