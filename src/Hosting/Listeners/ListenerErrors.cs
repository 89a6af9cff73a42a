using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Listeners;

/// <summary>Turns what went wrong while binding into one line that says what to do.</summary>
internal static class ListenerErrors
{
    public static StartException Explain(Exception error, IReadOnlyList<ListenerPlan> plans)
    {
        ListenerPlan? failed = plans.FirstOrDefault(p => p.Address.Port != 0 && error.Message.Contains($":{p.Address.Port}:", StringComparison.Ordinal))
            ?? plans.FirstOrDefault(p => p.Address.Port != 0 && error.Message.Contains($":{p.Address.Port}", StringComparison.Ordinal));
        string where = failed is null ? "a listener" : $"listener {failed.Name} ({failed.Address})";
        Exception cause = error.InnerException ?? error;
        SocketError? code = (cause as SocketException ?? cause.InnerException as SocketException)?.SocketErrorCode;
        string sentence = cause is AddressInUseException || code == SocketError.AddressAlreadyInUse
            ? "the port is in use; stop the other program or choose another port (--listen PROTOCOL=HOST:PORT)"
            : code switch
            {
                SocketError.AccessDenied => "no permission to use this port; ports below 1024 need a privilege, choose another",
                SocketError.AddressNotAvailable => "this address is not one of this machine's; write one that is",
                _ => cause.Message.ReplaceLineEndings(" "),
            };
        return new StartException($"{where}: {sentence}", error);
    }
}
