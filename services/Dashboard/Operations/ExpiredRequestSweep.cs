using Assay.ServiceDefaults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Assay.Dashboard.Operations;

/// <summary>
/// Clears the dead-letter queue of requests that nobody read in time: a page that was opened while a service was away leaves some. Their askers
/// were told; lying there they would hide what matters, and raise an alert.
/// </summary>
sealed partial class ExpiredRequestSweep(IFaultedMessages messages, TimeProvider time, ILogger<ExpiredRequestSweep> logger) : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (messages.Unavailable is null && !stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (await messages.DropExpiredRequestsAsync(stoppingToken) is > 0 and var dropped)
                    Dropped(logger, dropped);
            }
            catch (BrokerUnavailableException exception)
            {
                NotNow(logger, exception.Message);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "Removed {Requests} requests from the dead-letter queue that nobody read before their askers stopped waiting")]
    static partial void Dropped(ILogger logger, int requests);

    [LoggerMessage(LogLevel.Debug, "Expired requests stay in the dead-letter queue for now: {Why}")]
    static partial void NotNow(ILogger logger, string why);
}
