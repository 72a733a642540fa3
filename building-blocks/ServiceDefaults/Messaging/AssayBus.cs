using System.Net.Security;
using System.Text.Encodings.Web;
using System.Text.Json;
using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.ServiceDefaults;

/// <summary>One bus per host, on the transport the host chooses.</summary>
public static class AssayBus
{
    /// <summary>After so many deliveries that ended without ack or fault (a crash loop), the broker moves a message to the dead-letter queue.</summary>
    const int DeliveryLimit = 20;

    const string DeadLetterName = "assay-dead-letter";

    /// <summary>The bus of a host that is its own island: messages live in memory, the databases keep what matters.</summary>
    public static void AddAssayInMemoryBus(this IHostApplicationBuilder builder, IReadOnlyCollection<AssayModule> modules)
    {
        builder.Services.AddSingleton<IFaultedMessages, InMemoryFaultedMessages>();
        builder.AddAssayBus(modules, "bus", bus =>
        {
            bus.UsingInMemory((context, transport) =>
            {
                transport.ConfigureJsonSerializerOptions(WithoutPadding);
                AuditLogScope.Connect(transport, context.GetRequiredService<ILoggerFactory>());
                transport.ConfigureEndpoints(context);
            });
        });
    }

    /// <summary>The bus of a service among others: quorum queues with a delivery limit and a dead-letter queue.</summary>
    public static void AddAssayRabbitMqBus(this IHostApplicationBuilder builder, IReadOnlyCollection<AssayModule> modules)
    {
        var options = builder.Configuration.GetSection("RabbitMq").Get<RabbitMqOptions>() ?? new RabbitMqOptions();
        var check = BrokerTls.CheckFor(options);
        var nodes = options.Addresses;
        builder.Services.AddSingleton<IFaultedMessages>(_ => new RabbitMqFaultedMessages(options, DeadLetterName));
        builder.Services.AddDeadConnectionWatch(options);
        builder.AddAssayBus(modules, "broker", bus =>
        {
            bus.AddConfigureEndpointsCallback((_, _, endpoint) =>
            {
                if (endpoint is not IRabbitMqReceiveEndpointConfigurator queue)
                    return;
                queue.SetQuorumQueue();
                queue.SetQueueArgument("x-delivery-limit", DeliveryLimit);
                queue.SetQueueArgument("x-overflow", "reject-publish");
                queue.SetQueueArgument("x-dead-letter-strategy", "at-least-once");
                queue.BindDeadLetterQueue(DeadLetterName, DeadLetterName, deadLetter => deadLetter.SetQuorumQueue());
            });
            bus.UsingRabbitMq((context, transport) =>
            {
                transport.Host(nodes.Count > 1 ? options.Host : nodes[0].Host, nodes.Count > 1 ? options.Port : nodes[0].Port, options.VirtualHost, host =>
                {
                    host.Username(options.Username);
                    host.Password(SecretFile.Read("RabbitMq__Password", options.Password, options.PasswordFile) ?? "guest");
                    host.Heartbeat(TimeSpan.FromSeconds(10));
                    host.PublisherConfirmation = true;
                    host.ShowSignsOfLife(context);
                    if (nodes.Count > 1)
                        host.UseCluster(cluster =>
                        {
                            foreach (var node in nodes)
                                cluster.Node($"{node.Host}:{node.Port}");
                        });
                    if (options.UseTls)
                        host.UseSsl(tls =>
                        {
                            tls.ServerName = options.Host;
                            tls.Protocol = BrokerTls.Protocols;
                            // MassTransit forgives a wrong name and an unknown authority unless told otherwise.
                            tls.EnforcePolicyErrors(SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNotAvailable);
                            if (check is not null)
                                tls.CertificateValidationCallback = check;
                        });
                });
                transport.ConfigureJsonSerializerOptions(WithoutPadding);
                AuditLogScope.Connect(transport, context.GetRequiredService<ILoggerFactory>());
                transport.ConfigureSend(send => send.UseExecute(MakeCommandsMandatory));
                transport.ConfigurePublish(publish => publish.UseExecute(MakeCommandsMandatory));
                transport.ConfigureEndpoints(context);
            });
        });
    }

    /// <summary>Ends the host when its bus's connection is dead; the transport must call <see cref="ShowSignsOfLife"/>. To be called before the bus is added, so that it sees the bus start.</summary>
    public static void AddDeadConnectionWatch(this IServiceCollection services, RabbitMqOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ConnectionSigns>();
        services.AddSingleton<IBusObserver>(provider => provider.GetRequiredService<ConnectionSigns>());
        services.AddHostedService<DeadConnectionWatch>();
    }

    /// <summary>Tells <see cref="ConnectionSigns"/> of each connection that is tried.</summary>
    public static void ShowSignsOfLife(this IRabbitMqHostConfigurator host, IServiceProvider services)
    {
        var signs = services.GetRequiredService<ConnectionSigns>();
        host.OnRefreshConnectionFactory = _ =>
        {
            signs.Connecting();
            return Task.CompletedTask;
        };
    }

    static void AddAssayBus(this IHostApplicationBuilder builder, IReadOnlyCollection<AssayModule> modules, string check, Action<IBusRegistrationConfigurator> useTransport)
    {
        builder.Services.AddSingleton(MessagingOptions.From(builder.Configuration));
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(host =>
        {
            host.WaitUntilStarted = true;
            host.StopTimeout = TimeSpan.FromSeconds(30);
        });
        builder.Services.AddMassTransit(bus =>
        {
            // Nothing leaves the machine unasked, not even MassTransit's count of endpoints.
            bus.DisableUsageTelemetry();
            bus.SetKebabCaseEndpointNameFormatter();
            bus.ConfigureHealthCheckOptions(options => options.Name = check);
            foreach (var module in modules)
                module.AddConsumers(bus);
            useTransport(bus);
        });
        builder.Services.PostConfigure<HealthCheckServiceOptions>(options =>
        {
            foreach (var registration in options.Registrations.Where(registration => registration.Name == check))
            {
                var make = registration.Factory;
                registration.Factory = services => new QueuesCanBeRead(make(services), services.GetService<ConnectionSigns>());
            }
        });
    }

    /// <summary>
    /// MassTransit calls a bus degraded that has lost its broker and waits for it: alive, but nothing is consumed. And it calls healthy what
    /// reads over a connection that is gone, see <see cref="DeadConnectionWatch"/>.
    /// </summary>
    sealed class QueuesCanBeRead(IHealthCheck bus, ConnectionSigns? signs) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var result = await bus.CheckHealthAsync(context, cancellationToken);
            if (result.Status != HealthStatus.Healthy)
                return HealthCheckResult.Unhealthy($"Its queues cannot be read now: check the broker and the settings RabbitMq__Host and RabbitMq__Port, or RabbitMq__Nodes. {result.Description}".TrimEnd(), result.Exception);
            return signs is { AllRead: false }
                ? HealthCheckResult.Unhealthy("It lost the broker, and not all of its queues are read over the new connection yet.")
                : HealthCheckResult.Healthy("Its queues are read.");
        }
    }

    /// <summary>
    /// MassTransit indents what it sends and escapes every letter beyond ASCII. A batch of answers is written once and read by two services,
    /// stored by an outbox and three brokers: there it would be half as long again.
    /// </summary>
    static JsonSerializerOptions WithoutPadding(JsonSerializerOptions json) => new(json) { WriteIndented = false, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// A command without a queue to go to is returned by the broker, so its outbox row stays and is sent again: the order in which
    /// services first start does not matter. Events may have no listener.
    /// </summary>
    static void MakeCommandsMandatory(SendContext context)
    {
        if (context.TryGetPayload<RabbitMqSendContext>(out var send) && context.DestinationAddress is { } address && Commands.Contains(address))
            send.Mandatory = true;
    }
}
