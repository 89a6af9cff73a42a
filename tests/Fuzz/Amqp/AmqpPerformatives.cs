using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp;

/// <summary>Every declared list, by its descriptor.</summary>
internal static class AmqpPerformatives
{
    /// <summary>Reads a described list and writes what was read. False: nobody knows its descriptor.</summary>
    public static bool TryReadAndWrite(scoped ref AmqpReader reader, scoped ref AmqpWriter writer)
    {
        switch (reader.PeekDescriptor())
        {
            case Open.DescriptorCode: Open.Read(ref reader).Write(ref writer); break;
            case Begin.DescriptorCode: Begin.Read(ref reader).Write(ref writer); break;
            case Attach.DescriptorCode: Attach.Read(ref reader).Write(ref writer); break;
            case Flow.DescriptorCode: Flow.Read(ref reader).Write(ref writer); break;
            case Transfer.DescriptorCode: Transfer.Read(ref reader).Write(ref writer); break;
            case Disposition.DescriptorCode: Disposition.Read(ref reader).Write(ref writer); break;
            case Detach.DescriptorCode: Detach.Read(ref reader).Write(ref writer); break;
            case End.DescriptorCode: End.Read(ref reader).Write(ref writer); break;
            case Close.DescriptorCode: Close.Read(ref reader).Write(ref writer); break;
            case Source.DescriptorCode or Target.DescriptorCode or Coordinator.DescriptorCode:
                Terminus.Read(ref reader).Write(ref writer);
                break;
            case Declare.DescriptorCode: Declare.Read(ref reader).Write(ref writer); break;
            case Discharge.DescriptorCode: Discharge.Read(ref reader).Write(ref writer); break;
            case SaslMechanisms.DescriptorCode: SaslMechanisms.Read(ref reader).Write(ref writer); break;
            case SaslInit.DescriptorCode: SaslInit.Read(ref reader).Write(ref writer); break;
            case SaslChallenge.DescriptorCode: SaslChallenge.Read(ref reader).Write(ref writer); break;
            case SaslResponse.DescriptorCode: SaslResponse.Read(ref reader).Write(ref writer); break;
            case SaslOutcome.DescriptorCode: SaslOutcome.Read(ref reader).Write(ref writer); break;
            default: return TryReadAndWriteState(ref reader, ref writer);
        }
        return true;
    }

    private static bool TryReadAndWriteState(scoped ref AmqpReader reader, scoped ref AmqpWriter writer)
    {
        switch (reader.PeekDescriptor())
        {
            case Received.DescriptorCode: Received.Read(ref reader).Write(ref writer); break;
            case Accepted.DescriptorCode: Accepted.Read(ref reader).Write(ref writer); break;
            case Rejected.DescriptorCode: Rejected.Read(ref reader).Write(ref writer); break;
            case Released.DescriptorCode: Released.Read(ref reader).Write(ref writer); break;
            case Modified.DescriptorCode: Modified.Read(ref reader).Write(ref writer); break;
            case Declared.DescriptorCode: Declared.Read(ref reader).Write(ref writer); break;
            case TransactionalState.DescriptorCode: TransactionalState.Read(ref reader).Write(ref writer); break;
            default: return false;
        }
        return true;
    }
}
