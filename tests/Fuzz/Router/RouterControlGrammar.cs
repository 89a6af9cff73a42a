using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Fuzz.Router;

/// <summary>
/// Control messages of a small network, many of them wrong: other ids, numbers that jump, broken bytes.
/// </summary>
internal sealed class RouterControlGrammar(Random random)
{
    private static readonly string[] Ids = ["A", "B", "C", "D", "E", "all", "", "two words", "é", new('x', 300)];
    private static readonly string[] Keys = ["M0q", "M1q", "HE1", "Cprefix", "Dout", "L$management", "", "M", "Mé"];

    /// <summary>One message, whole or broken.</summary>
    public byte[] Message()
    {
        byte[] message = ControlWriter.Write(Address(), Body());
        if (random.Next(3) == 0 && ControlReader.TryRead(message, out ControlEnvelope? envelope, out _))
        {
            message = ControlWriter.Forward(envelope, Id());
        }
        return random.Next(3) == 0 ? Mutate(message) : random.Next(20) == 0 ? Odd() : message;
    }

    private ControlMessage Body() => random.Next(6) switch
    {
        0 => new Hello(Id(), Number(), Many(4, Id)),
        1 => new RouterAdvertisement(Id(), Number(), Number(), Number()),
        2 => new LinkStateRequest(Id()),
        3 => new LinkStateUpdate(Id(), Number(), Number(), Many(5, Peer)),
        4 => Addresses(),
        _ => new MobileAddressRequest(Id(), Number()),
    };

    private MobileAddressUpdate Addresses()
    {
        bool absolute = random.Next(2) == 0;
        ImmutableArray<AddressHint> added = Many(4, () => new AddressHint(Key(), (AddressTreatment)random.Next(8)));
        return new MobileAddressUpdate(Id(), Number(), absolute, added, absolute ? [] : Many(3, Key));
    }

    private PeerCost Peer()
    {
        string id = random.Next(4) == 0 ? $"X{random.Next(300)}" : Id();
        return new PeerCost(id, random.Next(10) == 0 ? random.Next(int.MinValue, int.MaxValue) : random.Next(1, 9));
    }

    private ControlAddress Address() => random.Next(4) switch
    {
        0 => new ControlAddress(ControlService.Hello, null),
        1 => new ControlAddress(ControlService.MobileAddress, random.Next(2) == 0 ? "all" : Id()),
        _ => new ControlAddress(ControlService.Router, random.Next(2) == 0 ? "all" : Id()),
    };

    // A message of sections that are no control message's.
    private byte[] Odd()
    {
        AmqpMap body = new();
        body.Add(AmqpValue.Symbol("id"), Id());
        body.Add(AmqpValue.Symbol("pv"), random.Next(4));
        body.Add(AmqpValue.Symbol("ls"), AmqpValue.List(1, "x"));
        return (AmqpMessage.FromValue(AmqpValue.Map(body)) with
        {
            Properties = new MessageProperties { To = Address().ToString() },
        }).ToArray();
    }

    private byte[] Mutate(byte[] bytes)
    {
        byte[] changed = [.. bytes];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
        }
        return random.Next(4) == 0 ? changed[..random.Next(changed.Length)] : changed;
    }

    private string Id() => Ids[random.Next(4) == 0 ? random.Next(Ids.Length) : random.Next(5)];

    private string Key() => Keys[random.Next(Keys.Length)];

    private long Number() => random.Next(12) == 0 ? random.NextInt64() : random.Next(5);

    private ImmutableArray<T> Many<T>(int most, Func<T> one) =>
        [.. Enumerable.Range(0, random.Next(most + 1)).Select(_ => one())];
}
