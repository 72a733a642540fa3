using System.Collections.Concurrent;
using Assay.Contracts;
using Assay.TestServers;
using MassTransit;

namespace Assay.Chaos;

/// <summary>An event as a producer received it.</summary>
public sealed record HeardEvent(Guid AuditId, int Attempt, string State, string? Reason, DateTime At, DateTime HeardAt);

/// <summary>A producer outside the system: sends commands, hears events over a durable queue of its own. No fault hits its connection but the broker's own.</summary>
public sealed class Producer : IAsyncDisposable
{
    readonly IBusControl _bus;
    readonly ConcurrentQueue<HeardEvent> _heard;

    Producer(IBusControl bus, ConcurrentQueue<HeardEvent> heard) => (_bus, _heard) = (bus, heard);

    public static async Task<Producer> StartAsync(PrivateRabbitMq broker, string virtualHost, int port)
    {
        var heard = new ConcurrentQueue<HeardEvent>();
        var bus = MassTransit.Bus.Factory.CreateUsingRabbitMq(transport =>
        {
            transport.Host(broker.Host, (ushort)port, virtualHost, host =>
            {
                host.Username(broker.Username);
                host.Password(broker.Password);
            });
            transport.ReceiveEndpoint("chaos-producer", endpoint =>
            {
                endpoint.SetQuorumQueue();
                endpoint.Handler<AuditRejected>(context => Keep(context.Message.AuditId, 0, AuditStates.Rejected, context.Message.Reason, context.Message.RejectedAt));
                endpoint.Handler<AuditCompleted>(context => Keep(context.Message.AuditId, context.Message.Attempt, AuditStates.Completed, null, context.Message.CompletedAt));
                endpoint.Handler<AuditFailed>(context => Keep(context.Message.AuditId, context.Message.Attempt, AuditStates.Failed, context.Message.Reason, context.Message.FailedAt));
                endpoint.Handler<AuditCancelled>(context => Keep(context.Message.AuditId, context.Message.Attempt, AuditStates.Cancelled, null, context.Message.CancelledAt));
            });
        });
        await bus.StartAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        return new Producer(bus, heard);

        Task Keep(Guid auditId, int attempt, string state, string? reason, DateTime at)
        {
            heard.Enqueue(new HeardEvent(auditId, attempt, state, reason, at, DateTime.UtcNow));
            return Task.CompletedTask;
        }
    }

    public IReadOnlyList<HeardEvent> Heard(IReadOnlySet<Guid> audits) => [.. _heard.Where(one => audits.Contains(one.AuditId))];

    /// <summary>Publishes until the broker has confirmed it: a producer's own duty.</summary>
    public async Task SendAsync<T>(T message, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            using var one = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            one.CancelAfter(TimeSpan.FromSeconds(5));
            try
            {
                await _bus.Publish(message, one.Token);
                return;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is MassTransitException or OperationCanceledException or RabbitMQ.Client.Exceptions.RabbitMQClientException)
            {
                await Task.Delay(200, cancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await _bus.StopAsync(limit.Token);
    }
}
