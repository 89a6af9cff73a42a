using System.Runtime.CompilerServices;

namespace Pillarbox.Simulation.Tests;

/// <summary>Something happened that must not.</summary>
internal sealed class Violation(string message) : Exception(message)
{
    /// <summary>Throws unless it holds; the text is made only then.</summary>
    public static void Unless(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref Text message)
    {
        if (!holds)
        {
            throw new Violation(message.ToString());
        }
    }

    /// <inheritdoc cref="Unless(bool, ref Text)"/>
    public static void Unless(bool holds, string? message)
    {
        if (!holds)
        {
            throw new Violation(message ?? "");
        }
    }

    /// <summary>Builds a message that is needed only when something does not hold.</summary>
    [InterpolatedStringHandler]
    internal ref struct Text
    {
        private DefaultInterpolatedStringHandler _inner;

        public Text(int literalLength, int formattedCount, bool holds, out bool isWanted)
        {
            isWanted = !holds;
            _inner = holds ? default : new DefaultInterpolatedStringHandler(literalLength, formattedCount);
        }

        public void AppendLiteral(string value) => _inner.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _inner.AppendFormatted(value);

        public override string ToString() => _inner.ToStringAndClear();
    }
}
