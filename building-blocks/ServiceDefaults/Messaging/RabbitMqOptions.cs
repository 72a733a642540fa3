using System.Globalization;

namespace Assay.ServiceDefaults;

/// <summary>Where the broker is (section <c>RabbitMq</c>).</summary>
public sealed class RabbitMqOptions
{
    /// <summary>The broker's name or address.</summary>
    public string Host { get; set; } = "localhost";

    /// <summary>The port of AMQP; with TLS usually 5671.</summary>
    public ushort Port { get; set; } = 5672;

    /// <summary>The nodes of a cluster, each <c>host</c> or <c>host:port</c>, with commas: who loses one goes on with the next. Empty: the one server that <see cref="Host"/> and <see cref="Port"/> name. With TLS each node's certificate must hold the name <see cref="Host"/>.</summary>
    public string? Nodes { get; set; }

    /// <summary>The virtual host that all services of one system share.</summary>
    public string VirtualHost { get; set; } = "/";

    /// <summary>Whether the connection is encrypted and the broker's certificate checked, its name against <see cref="Host"/>.</summary>
    public bool UseTls { get; set; }

    /// <summary>A file of certificates (PEM) of the authorities that may have signed the broker's; the system's own if empty.</summary>
    public string? CaFile { get; set; }

    /// <summary>The service's own user.</summary>
    public string Username { get; set; } = "guest";

    /// <summary>The password, <c>guest</c> if there is neither; or <see cref="PasswordFile"/>.</summary>
    public string? Password { get; set; }

    /// <summary>A file that holds the password, for container secrets.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>Who looks into error queues and sends messages again, with the right to read and write every queue; the host's own user if empty.</summary>
    public string? OperationsUsername { get; set; }

    /// <summary>That user's password; or <see cref="OperationsPasswordFile"/>.</summary>
    public string? OperationsPassword { get; set; }

    /// <summary>A file that holds it.</summary>
    public string? OperationsPasswordFile { get; set; }

    /// <summary>How long the bus may be deaf, and a third of how long it may be unanswered, without a new connection being tried, until the process ends to be started anew. After a quarter of it with nothing but refusals the connection is made anew.</summary>
    public TimeSpan ReconnectPatience { get; set; } = TimeSpan.FromSeconds(70);

    /// <summary>Where the broker's nodes listen; one unless <see cref="Nodes"/> is set.</summary>
    /// <exception cref="FormatException"><see cref="Nodes"/> holds something else than hosts and ports.</exception>
    internal IReadOnlyList<(string Host, ushort Port)> Addresses => Nodes is not { Length: > 0 } nodes
        ? [(Host, Port)]
        : [.. nodes.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Read)];

    (string Host, ushort Port) Read(string node)
    {
        var colon = node.LastIndexOf(':');
        if (colon < 0)
            return (node, Port);
        return colon > 0 && ushort.TryParse(node[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? (node[..colon], port)
            : throw new FormatException($"The setting RabbitMq__Nodes holds '{node}', which is not host or host:port; write it as broker1:5672,broker2:5672.");
    }
}
