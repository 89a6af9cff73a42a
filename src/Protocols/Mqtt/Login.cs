using System.Text;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>
/// Who connects (MQTT 5.0 §3.1.3.5, §4.12): a user name with its password, a client certificate, nobody, or enhanced
/// authentication with the SASL mechanism that the client names. One exchange; owned by the connection.
/// </summary>
internal sealed class Login(MqttEnvironment environment, PeerInfo peer)
{
    private ISaslServer? _sasl;

    /// <summary>The method of enhanced authentication; null: none.</summary>
    public string? Method { get; private set; }

    private SaslContext Context => new()
    {
        AllowAnonymous = environment.Options.AllowAnonymous,
        AllowPlain = environment.Options.AllowPlainWithoutTls || peer.IsTls || peer.IsLoopback,
        AnyPassword = environment.Options.AllowAnyPassword && peer.IsLoopback,
        ClientCertificate = peer.ClientCertificate,
    };

    /// <summary>The first step.</summary>
    public SaslStep Begin(ConnectPacket connect)
    {
        if (connect.AuthenticationMethod is { } method)
        {
            return Begin(method, connect.AuthenticationData ?? [], isAgain: false);
        }

        SaslContext context = Context;
        if (connect.UserName is null)
        {
            return Begin(context.ClientCertificate is null ? SaslServers.Anonymous : SaslServers.External, [], context);
        }

        if (context.AnyPassword)
        {
            return new SaslStep(
                SaslStatus.Succeeded, Identity: new Identity(connect.UserName, [], IsAnonymous: false));
        }

        byte[] user = Encoding.UTF8.GetBytes(connect.UserName);
        return Begin(SaslServers.Plain, [0, .. user, 0, .. connect.Password ?? []], context);
    }

    /// <summary>Begins enhanced authentication, again when the client asks for it.</summary>
    public SaslStep Begin(string method, byte[] data, bool isAgain)
    {
        _sasl?.Dispose();
        Method = method;
        if (method is not (SaslServers.ScramSha256 or SaslServers.ScramSha512))
        {
            throw new MqttException(ReasonCode.BadAuthenticationMethod, $"'{method}' is not offered");
        }

        return Begin(method, data, Context with { RefusesAtOnce = isAgain });
    }

    /// <summary>The next step of enhanced authentication.</summary>
    public SaslStep Step(byte[] data) => _sasl?.Step(data) ?? new SaslStep(SaslStatus.Failed);

    /// <summary>After a step said <see cref="SaslStatus.Verify"/>.</summary>
    public ValueTask<SaslStep> VerifyAsync() => _sasl!.VerifyAsync(CancellationToken.None);

    /// <summary>The exchange is over: what it holds of a secret goes.</summary>
    public void Forget() => _sasl?.Dispose();

    private SaslStep Begin(string mechanism, byte[] data, SaslContext context)
    {
        _sasl = environment.Sasl.Create(mechanism, context);
        return _sasl?.Step(data) ?? new SaslStep(SaslStatus.Failed, Reason: $"{mechanism} is not offered here");
    }
}
