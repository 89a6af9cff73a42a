using System.Text;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>
/// The address in each message's <c>to</c> on an anonymous relay; remembers the last one, for senders seldom alternate.
/// </summary>
internal sealed class RelayAddress(AmqpOptions options)
{
    private byte[] _lastUtf8 = [];
    private string _last = "";

    /// <summary>What the prefix of the last address asks for; null: nothing.</summary>
    public RoutingType? RoutingType { get; private set; }

    /// <summary>The address. Errors: invalid-field when the message names none.</summary>
    public string Resolve(ReadOnlySpan<byte> to)
    {
        if (to.IsEmpty)
        {
            throw new AmqpException(
                AmqpErrorCondition.InvalidField, "a message to the anonymous relay must name its address in 'to'",
                AmqpSeverity.Link);
        }

        if (!to.SequenceEqual(_lastUtf8))
        {
            TerminusName name = TerminusName.Parse(Encoding.UTF8.GetString(to), options);
            _last = name.Name.ToString();
            RoutingType = name.RoutingType;
            _lastUtf8 = to.ToArray();
        }

        return _last;
    }
}
