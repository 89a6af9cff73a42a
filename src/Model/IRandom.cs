namespace Pillarbox.Model;

/// <summary>The randomness seam: everything random comes from here, so that a seed replays a run.
/// Thread-safe.</summary>
public interface IRandom
{
    /// <summary>A number from 0 up to, not including, <paramref name="exclusiveMax"/> (at least 1).</summary>
    int Next(int exclusiveMax);

    /// <summary>A number from 0.0 up to, not including, 1.0.</summary>
    double NextDouble();

    /// <summary>Fills the span. The system implementation is fit for cryptographic use (nonces, salts, generated
    /// names).</summary>
    void Fill(Span<byte> bytes);
}

/// <summary>Random numbers from a seed, for simulation and tests. Not fit for secrets.</summary>
public sealed class SeededRandom : IRandom
{
    private readonly System.Threading.Lock _gate = new();
    private ulong _state;

    /// <summary>Starts at <paramref name="seed"/>; the same seed gives the same numbers for ever.</summary>
    public SeededRandom(ulong seed) => _state = seed;

    /// <inheritdoc/>
    public int Next(int exclusiveMax) => (int)(NextUInt64() % (ulong)exclusiveMax);

    /// <inheritdoc/>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <inheritdoc/>
    public void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)NextUInt64();
        }
    }

    /// <summary>The next 64 bits (SplitMix64).</summary>
    public ulong NextUInt64()
    {
        lock (_gate)
        {
            ulong z = _state += 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }
}
