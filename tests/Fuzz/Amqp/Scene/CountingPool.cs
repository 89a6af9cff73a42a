using System.Buffers;
using System.Runtime.CompilerServices;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>Memory of a pipe that counts the blocks which the pipe holds.</summary>
internal sealed class CountingPool(StrongBox<int> inUse) : MemoryPool<byte>
{
    public override int MaxBufferSize => Shared.MaxBufferSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        inUse.Value++;
        return new Block(inUse, Shared.Rent(minBufferSize));
    }

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(StrongBox<int> inUse, IMemoryOwner<byte> owner) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory => owner.Memory;

        public void Dispose()
        {
            inUse.Value--;
            owner.Dispose();
        }
    }
}
