using System.Buffers;
using System.IO.Pipelines;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>The login of a connection that the node makes: until the protocol headers are exchanged it is a client
/// like others.</summary>
internal static class InitiatedConnection
{
    /// <summary>Says the headers and logs in. The input is left behind the last header.</summary>
    public static async Task<InitiatedLogin> LogInAsync(
        IDuplexPipe transport, ClientOptions options, CancellationToken cancellation)
    {
        var output = new ByteQueue(1024);
        var handshake = new ClientHandshake(options, output);
        handshake.Start();
        while (handshake.Refusal is null && !handshake.IsComplete)
        {
            transport.Output.Write(output.Bytes);
            output.Take(output.Count);
            await transport.Output.FlushAsync(cancellation);
            ReadResult read = await transport.Input.ReadAsync(cancellation);
            SequencePosition taken = Receive(handshake, read.Buffer, output);
            // What stands behind a step that has an answer is looked at when that is said: it may be all that comes.
            transport.Input.AdvanceTo(taken, output.Count > 0 ? taken : read.Buffer.End);
            if (read.IsCompleted && !handshake.IsComplete && handshake.Refusal is null)
            {
                return new InitiatedLogin
                {
                    Refusal = new AmqpError
                    {
                        Condition = AmqpErrorCondition.ConnectionForced,
                        Description = "the peer ended the connection during the login",
                    },
                };
            }
        }

        bool isByName = handshake.Mechanism is not (null or SaslServers.Anonymous or SaslServers.External);
        return new InitiatedLogin
        {
            Refusal = handshake.Refusal,
            Mechanism = handshake.Mechanism,
            User = isByName ? options.Credentials.User : null,
        };
    }

    private static SequencePosition Receive(
        ClientHandshake handshake, in ReadOnlySequence<byte> input, ByteQueue output)
    {
        byte[] bytes = input.ToArray();
        int taken = 0;
        while (handshake.Refusal is null && !handshake.IsComplete)
        {
            int before = output.Count;
            int step = handshake.Receive(bytes.AsSpan(taken));
            taken += step;
            if (step == 0 || output.Count > before)
            {
                break;
            }
        }

        return input.GetPosition(taken);
    }
}

/// <summary>How the node logged in at a peer.</summary>
internal sealed record InitiatedLogin
{
    /// <summary>It did not.</summary>
    public static readonly InitiatedLogin None = new();

    /// <summary>Why the peer did not let the node in; null: it did.</summary>
    public AmqpError? Refusal { get; init; }

    /// <summary>The mechanism; null: none was agreed on.</summary>
    public string? Mechanism { get; init; }

    /// <summary>As whom; null: as nobody, or by a certificate.</summary>
    public string? User { get; init; }
}
