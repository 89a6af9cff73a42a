using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka.Tests.Wire;

/// <summary>Every API at every version: what is written is read again, and nothing shorter is.</summary>
public sealed class RoundTripTests
{
    private const int RoundsPerVersion = 8;

    private readonly int _seed = Seeds.Next();

    [Fact]
    public void Every_message_of_every_version_is_the_same_after_a_round_trip()
    {
        var messages = new RandomMessages(_seed);
        foreach ((Type type, short version) in MessageTypes.Versions())
        {
            for (int round = 0; round < RoundsPerVersion; round++)
            {
                byte[] first = MessageTypes.Write(messages.Fill(type), version);
                byte[] second = MessageTypes.Write(MessageTypes.Read(type, first, version), version);
                Assert.True(first.AsSpan().SequenceEqual(second), $"{type.Name} version {version}, seed {_seed}");
            }
        }
    }

    [Fact]
    public void A_message_that_is_cut_anywhere_is_a_protocol_error()
    {
        var messages = new RandomMessages(_seed);
        foreach ((Type type, short version) in MessageTypes.Versions())
        {
            byte[] whole = MessageTypes.Write(messages.Fill(type), version);
            int step = 1 + (whole.Length / 64);
            for (int length = whole.Length - 1; length >= 0; length -= step)
            {
                byte[] cut = whole[..length];
                Assert.Throws<KafkaException>(() => MessageTypes.Read(type, cut, version));
            }
        }
    }

    [Fact]
    public void A_message_with_a_byte_too_many_is_a_protocol_error()
    {
        var messages = new RandomMessages(_seed);
        foreach ((Type type, short version) in MessageTypes.Versions())
        {
            byte[] longer = [.. MessageTypes.Write(messages.Fill(type), version), 0];
            Assert.Throws<KafkaException>(() => MessageTypes.Read(type, longer, version));
        }
    }

    [Fact]
    public void Every_api_has_a_request_and_an_answer_of_the_same_versions()
    {
        var byKey = MessageTypes.Versions().ToLookup(
            m => (m.Type.Name.Replace("Request", "").Replace("Response", ""), m.Version));
        Assert.All(byKey, pair => Assert.Equal(2, pair.Count()));
        Assert.True(byKey.Count > 200);
    }
}
