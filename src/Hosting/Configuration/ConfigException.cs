namespace Pillarbox.Hosting.Configuration;

/// <summary>
/// What the operator wrote cannot be used. The message is one line and says where, what and what to do.
/// </summary>
public sealed class ConfigException(string message) : Exception(message);

/// <summary>
/// The node cannot start (port in use, broken certificate, no permission). One line that says what to do.
/// </summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
