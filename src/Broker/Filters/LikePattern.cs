using System.Text;

namespace Pillarbox.Broker.Filters;

/// <summary>
/// A LIKE pattern over UTF-8: <c>%</c> is any text, <c>_</c> one character (code point). The pattern is cut at its
/// <c>%</c>; the first and the last piece stand fast at the ends, each piece between is looked for once, from left to
/// right, at the earliest place. That finds a match whenever there is one, so nothing is ever tried again; the cost is
/// at most text times piece, and counts against the step budget.
/// </summary>
internal sealed class LikePattern
{
    /// <summary>Stands for <c>_</c> in a piece: a byte that UTF-8 never has.</summary>
    private const byte AnyCharacter = 0xFF;

    /// <summary>Looked for at once; short, so that even a hostile text makes the search linear.</summary>
    private const int ProbeBytesMax = 8;

    private readonly byte[][] _pieces;

    private LikePattern(byte[][] pieces) => _pieces = pieces;

    /// <summary>Reads a pattern; with <paramref name="escape"/>, the character after it stands for itself. Null: it
    /// ends in the escape.</summary>
    public static LikePattern? Parse(string pattern, char? escape)
    {
        var pieces = new List<byte[]>();
        var piece = new List<byte>();
        Span<byte> utf8 = stackalloc byte[4];
        bool escaped = false;
        foreach (Rune rune in pattern.EnumerateRunes())
        {
            if (!escaped && escape is { } mark && rune.Value == mark)
            {
                escaped = true;
                continue;
            }

            if (!escaped && rune.Value == '%')
            {
                pieces.Add([.. piece]);
                piece.Clear();
                continue;
            }

            if (!escaped && rune.Value == '_')
            {
                piece.Add(AnyCharacter);
            }
            else
            {
                piece.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
            }

            escaped = false;
        }

        pieces.Add([.. piece]);
        return escaped ? null : new LikePattern([.. pieces]);
    }

    public bool Matches(ReadOnlySpan<byte> text, scoped ref Evaluation evaluation)
    {
        int at = StartsWith(text, _pieces[0], ref evaluation);
        if (at < 0 || _pieces.Length == 1)
        {
            return at == text.Length;
        }

        text = text[at..];
        int end = EndsWith(text, _pieces[^1], ref evaluation);
        if (end < 0)
        {
            return false;
        }

        text = text[..end];
        for (int i = 1; i < _pieces.Length - 1; i++)
        {
            int found = Find(text, _pieces[i], ref evaluation);
            if (found < 0)
            {
                return false;
            }

            text = text[found..];
        }

        return true;
    }

    /// <summary>The end of the earliest place where the piece stands, or -1.</summary>
    private static int Find(ReadOnlySpan<byte> text, byte[] piece, scoped ref Evaluation evaluation)
    {
        int literal = Array.IndexOf(piece, AnyCharacter);
        literal = Math.Min(literal < 0 ? piece.Length : literal, ProbeBytesMax);
        ReadOnlySpan<byte> probe = piece.AsSpan(0, literal);
        for (int at = 0; at <= text.Length;)
        {
            int distance = text[at..].IndexOf(probe);
            if (distance < 0 || !evaluation.Spend(1 + (distance >> 4)))
            {
                evaluation.Spend((text.Length - at) >> 4);
                return -1;
            }

            at += distance;
            int end = StartsWith(text[at..], piece, ref evaluation);
            if (end >= 0)
            {
                return at + end;
            }

            at += CharacterBytes(text[at..]);
        }

        return -1;
    }

    /// <summary>The end of the piece at the start of the text, or -1.</summary>
    private static int StartsWith(ReadOnlySpan<byte> text, byte[] piece, scoped ref Evaluation evaluation)
    {
        int at = 0;
        int compared = 0;
        for (; compared < piece.Length; compared++)
        {
            if (at >= text.Length || (piece[compared] != AnyCharacter && piece[compared] != text[at]))
            {
                at = -1;
                break;
            }

            at += piece[compared] == AnyCharacter ? CharacterBytes(text[at..]) : 1;
        }

        return evaluation.Spend(1 + (compared >> 2)) ? at : -1;
    }

    /// <summary>The start of the piece at the end of the text, or -1.</summary>
    private static int EndsWith(ReadOnlySpan<byte> text, byte[] piece, scoped ref Evaluation evaluation)
    {
        int at = text.Length;
        for (int i = piece.Length - 1; i >= 0; i--)
        {
            if (at == 0 || (piece[i] != AnyCharacter && piece[i] != text[at - 1]))
            {
                return -1;
            }

            at--;
            while (piece[i] == AnyCharacter && at > 0 && IsContinuation(text[at]))
            {
                at--;
            }
        }

        return evaluation.Spend(1 + (piece.Length >> 2)) ? at : -1;
    }

    /// <summary>Bytes of the first character; at least 1, also at the end and in damaged text.</summary>
    private static int CharacterBytes(ReadOnlySpan<byte> text)
    {
        int length = 1;
        while (length < text.Length && IsContinuation(text[length]))
        {
            length++;
        }

        return length;
    }

    private static bool IsContinuation(byte b) => (b & 0xC0) == 0x80;
}
