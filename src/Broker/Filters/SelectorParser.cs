using Pillarbox.Model;

namespace Pillarbox.Broker.Filters;

/// <summary>
/// Recursive descent over the selector language (JMS 2.0 section 3.8.1.1), lowest precedence first:
/// <code>
/// or        := and { OR and }
/// and       := not { AND not }
/// not       := NOT not | predicate
/// predicate := sum [ ( = | &lt;&gt; | &lt; | &lt;= | &gt; | &gt;= ) sum
///                  | IS [ NOT ] NULL
///                  | [ NOT ] BETWEEN sum AND sum
///                  | [ NOT ] LIKE string [ ESCAPE string ]
///                  | [ NOT ] IN ( constant { , constant } ) ]
/// sum       := term { ( + | - ) term }
/// term      := factor { ( * | / ) factor }
/// factor    := ( + | - ) factor | constant | identifier | ( or )
/// </code>
/// </summary>
internal sealed class SelectorParser
{
    private readonly SelectorLexer _lexer;
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly HashSet<string> _repeated;
    private SelectorToken _token;
    private int _nodes;
    private int _nesting;

    private SelectorParser(string text, bool hyphens, HashSet<string> repeated)
    {
        _lexer = new SelectorLexer(text, hyphens);
        _repeated = repeated;
        _token = _lexer.Next();
    }

    /// <summary>Parses; with <paramref name="hyphens"/> identifiers may hold <c>-</c>. <paramref name="slots"/> is the
    /// number of properties that are named more than once.</summary>
    public static SelectorNode Parse(string text, bool hyphens, out int slots)
    {
        var parser = new SelectorParser(text, hyphens, Repeated(text, hyphens));
        SelectorNode root = parser.Or();
        if (parser._token.Kind != TokenKind.End)
        {
            throw parser.Expected("the end, AND, OR or a comparison");
        }

        RequireCondition(root, 0);
        slots = parser._slots.Values.Count(static slot => slot >= 0);
        return root;
    }

    private static HashSet<string> Repeated(string text, bool hyphens)
    {
        var lexer = new SelectorLexer(text, hyphens);
        var once = new HashSet<string>(StringComparer.Ordinal);
        var repeated = new HashSet<string>(StringComparer.Ordinal);
        for (SelectorToken token = lexer.Next(); token.Kind != TokenKind.End; token = lexer.Next())
        {
            if (token.Kind == TokenKind.Identifier && !once.Add(token.Text))
            {
                repeated.Add(token.Text);
            }
        }

        return repeated;
    }

    private SelectorNode Or() => Junction(TokenKind.Or, decidedBy: true, And);

    private SelectorNode And() => Junction(TokenKind.And, decidedBy: false, Not);

    private SelectorNode Junction(TokenKind kind, bool decidedBy, Func<SelectorNode> operand)
    {
        int at = _token.At;
        SelectorNode first = operand();
        if (_token.Kind != kind)
        {
            return first;
        }

        RequireCondition(first, at);
        var operands = new List<SelectorNode> { first };
        while (_token.Kind == kind)
        {
            Advance();
            at = _token.At;
            SelectorNode next = operand();
            RequireCondition(next, at);
            operands.Add(next);
        }

        return Made(new JunctionNode(decidedBy, [.. operands]));
    }

    private SelectorNode Not()
    {
        if (_token.Kind != TokenKind.Not)
        {
            return Predicate();
        }

        Advance();
        int at = _token.At;
        SelectorNode operand = Nested(Not);
        RequireCondition(operand, at);
        return Made(new NotNode(operand));
    }

    private SelectorNode Predicate()
    {
        int at = _token.At;
        SelectorNode left = Sum();
        bool negated = _token.Kind == TokenKind.Not;
        if (negated)
        {
            Advance();
        }

        switch (_token.Kind)
        {
            case TokenKind.Between:
                return Between(left, negated, at);
            case TokenKind.Like:
                return Like(left, negated, at);
            case TokenKind.In:
                return In(left, negated);
        }

        if (negated)
        {
            throw Expected("BETWEEN, LIKE or IN after NOT");
        }

        return _token.Kind == TokenKind.Is ? IsNull(left, at)
            : _token.Kind is >= TokenKind.Equal and <= TokenKind.GreaterOrEqual ? Comparison(left, at)
            : left;
    }

    private ComparisonNode Comparison(SelectorNode left, int leftAt)
    {
        SelectorToken comparison = _token;
        Advance();
        int rightAt = _token.At;
        SelectorNode right = Sum();
        if (comparison.Kind is not (TokenKind.Equal or TokenKind.NotEqual))
        {
            RequireNumber(left, leftAt, $"{comparison.Text} compares");
            RequireNumber(right, rightAt, $"{comparison.Text} compares");
        }

        return Made(new ComparisonNode(comparison.Kind, left, right));
    }

    private NullNode IsNull(SelectorNode left, int at)
    {
        if (left is not (PropertyNode or HeaderNode))
        {
            throw SelectorFault.At(at, "IS NULL needs an identifier before it");
        }

        Advance();
        bool negated = _token.Kind == TokenKind.Not;
        if (negated)
        {
            Advance();
        }

        Take(TokenKind.Null, "NULL");
        return Made(new NullNode(left, negated));
    }

    private BetweenNode Between(SelectorNode left, bool negated, int at)
    {
        RequireNumber(left, at, "BETWEEN compares");
        Advance();
        at = _token.At;
        SelectorNode low = Sum();
        RequireNumber(low, at, "BETWEEN compares");
        Take(TokenKind.And, "AND");
        at = _token.At;
        SelectorNode high = Sum();
        RequireNumber(high, at, "BETWEEN compares");
        return Made(new BetweenNode(left, low, high, negated));
    }

    private LikeNode Like(SelectorNode left, bool negated, int at)
    {
        if (left.Kind is not (null or PropertyKind.String))
        {
            throw SelectorFault.At(at, "LIKE needs a string before it");
        }

        Advance();
        SelectorToken pattern = Take(TokenKind.String, "a pattern in single quotes");
        char? escape = null;
        if (_token.Kind == TokenKind.Escape)
        {
            Advance();
            SelectorToken mark = Take(TokenKind.String, "one character in single quotes");
            escape = mark.Text.Length == 1 ? mark.Text[0]
                : throw SelectorFault.At(mark.At, "ESCAPE takes exactly one character");
        }

        LikePattern like = LikePattern.Parse(pattern.Text, escape)
            ?? throw SelectorFault.At(pattern.At, "the pattern ends in its escape character");
        return Made(new LikeNode(left, like, negated));
    }

    private InNode In(SelectorNode left, bool negated)
    {
        Advance();
        Take(TokenKind.Open, "( after IN");
        var members = new List<LiteralNode>();
        while (true)
        {
            int sign = _token.Kind == TokenKind.Minus ? -1 : 1;
            if (_token.Kind is TokenKind.Minus or TokenKind.Plus)
            {
                Advance();
            }

            members.Add(Literal(sign) ?? throw Expected("a string or number"));
            if (_token.Kind != TokenKind.Comma)
            {
                break;
            }

            Advance();
        }

        Take(TokenKind.Close, ", or )");
        return Made(new InNode(left, [.. members], negated));
    }

    private SelectorNode Sum()
    {
        int at = _token.At;
        SelectorNode left = Term();
        while (_token.Kind is TokenKind.Plus or TokenKind.Minus)
        {
            left = Arithmetic(left, at, Term);
        }

        return left;
    }

    private SelectorNode Term()
    {
        int at = _token.At;
        SelectorNode left = Factor();
        while (_token.Kind is TokenKind.Times or TokenKind.Divide)
        {
            left = Arithmetic(left, at, Factor);
        }

        return left;
    }

    private ArithmeticNode Arithmetic(SelectorNode left, int leftAt, Func<SelectorNode> operand)
    {
        SelectorToken operation = _token;
        RequireNumber(left, leftAt, $"{operation.Text} computes with");
        Advance();
        int at = _token.At;
        SelectorNode right = operand();
        RequireNumber(right, at, $"{operation.Text} computes with");
        return Made(new ArithmeticNode(operation.Kind, left, right));
    }

    private SelectorNode Factor()
    {
        if (_token.Kind is not (TokenKind.Plus or TokenKind.Minus))
        {
            return Primary();
        }

        SelectorToken sign = _token;
        Advance();
        if (sign.Kind == TokenKind.Minus && _token.Kind is TokenKind.Integer or TokenKind.Approximate)
        {
            return Literal(sign: -1)!;
        }

        int at = _token.At;
        SelectorNode operand = Nested(Factor);
        RequireNumber(operand, at, $"{sign.Text} computes with");
        return sign.Kind == TokenKind.Minus ? Made(new NegationNode(operand)) : operand;
    }

    private SelectorNode Primary()
    {
        if (Literal(sign: 1) is { } literal)
        {
            return literal;
        }

        if (_token.Kind == TokenKind.Identifier)
        {
            string name = _token.Text;
            Advance();
            return HeaderNode.ByName(name) is { } header ? Made(header) : Made(new PropertyNode(name, Slot(name)));
        }

        if (_token.Kind != TokenKind.Open)
        {
            throw Expected("an identifier, a constant or (");
        }

        Advance();
        SelectorNode inner = Nested(Or);
        Take(TokenKind.Close, ")");
        return inner;
    }

    /// <summary>A constant, or null when here is none.</summary>
    private LiteralNode? Literal(int sign)
    {
        SelectorToken token = _token;
        LiteralNode? literal = token.Kind switch
        {
            TokenKind.String => LiteralNode.Of(token.Text),
            TokenKind.True => LiteralNode.Of(true),
            TokenKind.False => LiteralNode.Of(false),
            TokenKind.Approximate => LiteralNode.Of(sign * token.Approximate),
            TokenKind.Integer => LiteralNode.Of(Signed(token, sign)),
            _ => null,
        };
        if (literal is not null)
        {
            Advance();
            Made(literal);
        }

        return literal;
    }

    private static long Signed(SelectorToken token, int sign)
    {
        if (sign > 0 && token.Integer > long.MaxValue)
        {
            throw SelectorFault.At(token.At, "the number does not fit into 64 bits");
        }

        return unchecked(sign * (long)token.Integer);
    }

    /// <summary>Properties that are named more than once get a slot, so that they are read once.</summary>
    private int Slot(string name)
    {
        if (_slots.TryGetValue(name, out int known))
        {
            return known;
        }

        if (_slots.Count == Selector.PropertiesMax)
        {
            throw SelectorFault.At(
                _token.At, $"a selector may name at most {Selector.PropertiesMax} different properties");
        }

        int slot = _repeated.Contains(name) ? _slots.Values.Count(static value => value >= 0) : -1;
        _slots.Add(name, slot);
        return slot;
    }

    private SelectorNode Nested(Func<SelectorNode> parse)
    {
        if (++_nesting > Selector.DepthMax)
        {
            throw SelectorFault.At(_token.At, $"it is nested more than {Selector.DepthMax} deep");
        }

        SelectorNode node = parse();
        _nesting--;
        return node;
    }

    private T Made<T>(T node)
        where T : SelectorNode
    {
        if (++_nodes > Selector.NodesMax)
        {
            throw SelectorFault.At(_token.At, $"it has more than {Selector.NodesMax} parts");
        }

        return node.Depth <= Selector.DepthMax
            ? node
            : throw SelectorFault.At(_token.At, $"it is nested more than {Selector.DepthMax} deep");
    }

    private static void RequireCondition(SelectorNode node, int at)
    {
        if (node.Kind is not (null or PropertyKind.Boolean))
        {
            throw SelectorFault.At(at, "a condition that is true or false is expected here");
        }
    }

    private static void RequireNumber(SelectorNode node, int at, string who)
    {
        if (node.Kind is PropertyKind.String or PropertyKind.Boolean)
        {
            throw SelectorFault.At(at, $"{who} numbers only");
        }
    }

    private SelectorToken Take(TokenKind kind, string what)
    {
        SelectorToken token = _token;
        if (token.Kind != kind)
        {
            throw Expected(what);
        }

        Advance();
        return token;
    }

    private void Advance() => _token = _lexer.Next();

    private BrokerException Expected(string what)
    {
        string found = _token.Kind == TokenKind.End ? "the text ends here" : $"here is {Shorten(_token.Text)}";
        return SelectorFault.At(_token.At, $"expected {what}, but {found}");
    }

    private static string Shorten(string text) => text.Length <= 32 ? text : text[..32] + "...";
}
