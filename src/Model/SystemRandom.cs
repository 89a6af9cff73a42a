using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Pillarbox.Model;

/// <summary>
/// The operating system's randomness, fit for cryptographic use. On Linux it comes from the kernel itself
/// (<c>getrandom</c>): a node that speaks no TLS then never loads a library of cryptography, which costs some 5 MiB.
/// Elsewhere, and should the kernel refuse, it is the framework's. Thread-safe.
/// </summary>
public sealed partial class SystemRandom : IRandom
{
    /// <summary>The one instance.</summary>
    public static readonly SystemRandom Instance = new();

    private const int Interrupted = 4;

    private SystemRandom()
    {
    }

    /// <inheritdoc/>
    public int Next(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(exclusiveMax, 1);
        // The upper half of a product of 32 bits; the few lower halves that would favour some numbers are drawn again.
        uint bound = (uint)exclusiveMax;
        uint uneven = (0u - bound) % bound;
        ulong product;
        do
        {
            product = (ulong)(uint)NextUInt64() * bound;
        }
        while ((uint)product < uneven);
        return (int)(product >> 32);
    }

    /// <inheritdoc/>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <inheritdoc/>
    public void Fill(Span<byte> bytes)
    {
        if (OperatingSystem.IsLinux())
        {
            bytes = FillFromKernel(bytes);
        }

        if (!bytes.IsEmpty)
        {
            RandomNumberGenerator.Fill(bytes);
        }
    }

    private ulong NextUInt64()
    {
        ulong number = 0;
        Fill(MemoryMarshal.AsBytes(new Span<ulong>(ref number)));
        return number;
    }

    /// <summary>Fills what the kernel gives; returns the rest, which is none but on kernels that do not know the
    /// call.</summary>
    private static Span<byte> FillFromKernel(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint given = GetRandom(ref MemoryMarshal.GetReference(bytes), (nuint)bytes.Length, 0);
            if (given > 0)
            {
                bytes = bytes[(int)given..];
            }
            else if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                break;
            }
        }

        return bytes;
    }

    // ssize_t getrandom(void *buf, size_t buflen, unsigned int flags): getrandom(2)
    [LibraryImport("libc", EntryPoint = "getrandom", SetLastError = true)]
    private static partial nint GetRandom(ref byte bytes, nuint count, uint flags);
}
