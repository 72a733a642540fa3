namespace Assay.ServiceDefaults;

/// <summary>Where the broker is (section <c>RabbitMq</c>).</summary>
public sealed class RabbitMqOptions
{
    public string Host { get; set; } = "localhost";
    public ushort Port { get; set; } = 5672;
    public string VirtualHost { get; set; } = "/";
    public string Username { get; set; } = "guest";

    /// <summary>The password; or <see cref="PasswordFile"/>.</summary>
    public string? Password { get; set; }

    /// <summary>A file that holds the password, for container secrets.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>Who looks into error queues and sends messages again, with the right to read and write every queue; the host's own user if empty.</summary>
    public string? OperationsUsername { get; set; }

    public string? OperationsPassword { get; set; }

    public string? OperationsPasswordFile { get; set; }
}
