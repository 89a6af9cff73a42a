namespace Pillarbox.Broker.Filters;

/// <summary>The words of the selector language.</summary>
internal enum TokenKind
{
    End,
    Identifier,
    String,
    Integer,
    Approximate,
    True,
    False,
    Null,
    And,
    Or,
    Not,
    Between,
    Like,
    In,
    Is,
    Escape,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Open,
    Close,
    Comma,
}

/// <summary>One word: what it is, where it stands in the text (from 0), and its value.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="At">Its first character, from 0.</param>
/// <param name="Text">A string's or identifier's text without quotes; otherwise as written.</param>
/// <param name="Integer">The number, when it is one; up to 2^63 because a minus may follow before it.</param>
/// <param name="Approximate">The number, when it has a point or an exponent.</param>
internal readonly record struct SelectorToken(
    TokenKind Kind, int At, string Text, ulong Integer = 0, double Approximate = 0);
