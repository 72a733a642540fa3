using Assay.Contracts.Internal.Operations;
using MassTransit;

namespace Assay.Dashboard.Operations;

/// <summary>A service's outbox and scheduler, or why it says nothing.</summary>
public sealed record ServiceState(string Service, ServiceHealth? Health, string? Silent);

/// <summary>Asks the services about themselves, all at once: a silent one costs its patience once.</summary>
sealed class ServicesClient(IRequestClient<GetServiceHealth> health, IRequestClient<ReleaseParked> release)
{
    public static readonly string[] Names = ["AuditSaga", "LlmGateway", "Analyzer", "Dashboard"];

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public async Task<IReadOnlyList<ServiceState>> LookAsync(CancellationToken cancellationToken) => await Task.WhenAll(Names.Select(name => LookAsync(name, cancellationToken)));

    /// <summary>Gives parked messages all their tries again; null for all of the service's.</summary>
    public async Task<int> ReleaseAsync(string service, Guid? messageId, string by, CancellationToken cancellationToken)
    {
        try
        {
            return (await release.GetResponse<ParkedReleased>(new ReleaseParked { Service = service, MessageId = messageId, RequestedBy = by }, cancellationToken, RequestTimeout.After(s: 10))).Message.Released;
        }
        catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
        {
            throw new ServiceSilentException($"{service} was asked to release parked messages and did not answer: {exception.Message} Check that it runs (/health/ready), then ask again: a release that runs twice releases once.", exception);
        }
    }

    async Task<ServiceState> LookAsync(string service, CancellationToken cancellationToken)
    {
        try
        {
            return new ServiceState(service, (await health.GetResponse<ServiceHealth>(new GetServiceHealth { Service = service }, cancellationToken, Patience)).Message, null);
        }
        catch (RequestTimeoutException)
        {
            return new ServiceState(service, null, $"No answer within {Patience.TotalSeconds:0} s: it is down, or busy starting.");
        }
        catch (RequestFaultException exception)
        {
            return new ServiceState(service, null, exception.Message);
        }
    }
}

/// <summary>A service did not answer. What was asked may still happen.</summary>
sealed class ServiceSilentException(string message, Exception inner) : Exception(message, inner);
