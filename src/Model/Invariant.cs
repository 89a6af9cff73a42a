using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Pillarbox.Model;

/// <summary>A fault of our own: an invariant that does not hold. Never caused by what a peer sends.</summary>
public sealed class InvariantException(string message) : Exception(message);

/// <summary>Assertions that stay on in release.</summary>
public static class Invariant
{
    /// <summary>Throws <see cref="InvariantException"/> unless <paramref name="holds"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void That(
        [DoesNotReturnIf(false)] bool holds, [CallerArgumentExpression(nameof(holds))] string? what = null)
    {
        if (!holds)
        {
            Fail(what);
        }
    }

    [DoesNotReturn]
    private static void Fail(string? what) => throw new InvariantException($"invariant broken: {what}");
}
