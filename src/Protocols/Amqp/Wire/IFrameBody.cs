namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>A declared list that makes the body of a frame by itself. For those that are written rarely, and so may be
/// objects.</summary>
internal interface IFrameBody
{
    /// <summary>Writes descriptor and list.</summary>
    void Write(scoped ref AmqpWriter writer);
}

/// <summary>The body of an AMQP frame (part 2 section 2.7).</summary>
internal interface IPerformative : IFrameBody;

/// <summary>The body of a SASL frame (part 5 section 5.3.3).</summary>
internal interface ISaslFrame : IFrameBody;
