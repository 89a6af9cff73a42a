using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>What of a router's log is written, by module. Any thread.</summary>
public interface ILogRules
{
    /// <summary>The rule of a module; null: that of <c>DEFAULT</c> counts.</summary>
    RouterConfLog? RuleOf(string module);

    /// <summary>From now on a module is written so. Throws <see cref="IOException"/> when its file cannot be
    /// opened.</summary>
    void Set(RouterConfLog rule);

    /// <summary>The latest lines that were written, the oldest first.</summary>
    IReadOnlyList<LogLine> Latest { get; }

    /// <summary>Lines of a module and level that the node has had for it since its start; those of levels that are not
    /// written are not counted.</summary>
    long CountOf(string module, RouterLogLevel level);
}
