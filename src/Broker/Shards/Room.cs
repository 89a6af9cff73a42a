using System.Numerics;

namespace Pillarbox.Broker.Shards;

/// <summary>
/// Arrays for items on their way, shared by all who need some for a while: hundreds of connections are busy, but not
/// all at the same moment. As many are kept as were in use at once not long ago, so what a busy time needs is allocated
/// once, and let go when that is over. An array from here is empty: whoever gives one back has cleared what was used of
/// it. Lengths are powers of two. Any thread.
/// </summary>
internal static class Room<T>
{
    private const int ItemsMin = 16;
    private const int KeptMin = 8;

    /// <summary>After so many returns the remembered peak falls by one part of so many.</summary>
    private const uint FadingReturns = 256;
    private const int FadingPart = 32;
    private static readonly Shelf[] Shelves = [.. Enumerable.Range(0, 31).Select(_ => new Shelf())];

    /// <summary>Room for at least so many items, all default.</summary>
    public static T[] Rent(int items)
    {
        int length = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(items, ItemsMin));
        Shelf shelf = Shelves[BitOperations.Log2((uint)length)];
        lock (shelf.Gate)
        {
            shelf.Peak = Math.Max(shelf.Peak, ++shelf.Used);
            if (shelf.Kept.TryPop(out T[]? kept))
            {
                return kept;
            }
        }

        return new T[length];
    }

    /// <summary>Gives a cleared array back.</summary>
    public static void Return(T[] items)
    {
        if (items.Length < ItemsMin)
        {
            return;
        }

        Shelf shelf = Shelves[BitOperations.Log2((uint)items.Length)];
        lock (shelf.Gate)
        {
            shelf.Used--;
            shelf.Kept.Push(items);
            if (++shelf.Returns % FadingReturns == 0)
            {
                shelf.Peak -= (shelf.Peak + FadingPart - 1) / FadingPart;
            }

            while (shelf.Kept.Count > KeptMin && shelf.Kept.Count + shelf.Used > shelf.Peak)
            {
                shelf.Kept.Pop();
            }
        }
    }

    /// <summary>A larger array with the same items in place of one that is full.</summary>
    public static T[] Grow(T[] items, int count, int needed)
    {
        T[] larger = Rent(Math.Max(needed, items.Length * 2));
        items.AsSpan(0, count).CopyTo(larger);
        Array.Clear(items, 0, count);
        Return(items);
        return larger;
    }

    /// <summary>Arrays of one length.</summary>
    private sealed class Shelf
    {
        public Lock Gate { get; } = new();

        public Stack<T[]> Kept { get; } = new();

        public int Used { get; set; }

        /// <summary>The most that were in use at once, fading.</summary>
        public int Peak { get; set; }

        public uint Returns { get; set; }
    }
}
