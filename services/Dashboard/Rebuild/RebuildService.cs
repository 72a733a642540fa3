using System.Globalization;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Database;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Projections;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Rebuild;

/// <summary>
/// Leads a rebuild: has the saga compare everything, page by page, and tell what is marked or missing; looks again until the pieces have come;
/// asks the ledger for the money of audits whose own reports are gone. A stop half-way is made up for at the next start: the marks are rows.
/// </summary>
sealed partial class RebuildService(IServiceScopeFactory scopes, RebuildSignal signal, ProjectionQueue queue, TimeProvider time, ILogger<RebuildService> logger) : BackgroundService
{
    /// <summary>Longer than the saga itself waits for the three others.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Looks at marks or differences that do not become fewer, before they are left as they are.</summary>
    const int LooksWithoutProgress = 30;

    /// <summary>The most days the ledger reports on at once.</summary>
    const int AllDays = 366;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // After the bus, which hosted services of the same host start later.
        await Task.Yield();
        if (await TryAsync(async db => await db.Rebuilds.AnyAsync(stoppingToken), stoppingToken))
            signal.Begin();
        while (!stoppingToken.IsCancellationRequested)
        {
            await signal.WaitAsync(stoppingToken);
            try
            {
                signal.End(await RebuildAsync(stoppingToken));
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Failed(logger, exception);
                signal.End($"It stopped: {exception.Message} What was told until then stays; start it again when all services answer.");
            }

            // What could not be told stays as it was, and counts as shown again.
            await TryAsync(async db => await db.Rebuilds.ExecuteDeleteAsync(stoppingToken) > 0, stoppingToken);
        }
    }

    async Task<string> RebuildAsync(CancellationToken cancellationToken)
    {
        var wanted = await MarkedAsync(cancellationToken);
        var told = await CompareAsync(repair: true, cancellationToken);
        var left = await UntilNoFewerAsync(() => MarkedAsync(cancellationToken), cancellationToken);
        await TryAsync(async db => await db.Rebuilds.ExecuteDeleteAsync(cancellationToken) > 0, cancellationToken);
        // The analysis tells its part by messages of its own; what still differs then is put right as on any other day.
        var different = await UntilNoFewerAsync(() => CompareAsync(repair: false, cancellationToken), cancellationToken);
        if (different > 0 && await CompareAsync(repair: true, cancellationToken) > 0)
            different = await UntilNoFewerAsync(() => CompareAsync(repair: false, cancellationToken), cancellationToken);
        var money = await AskForMoneyAsync(cancellationToken);
        var outcome = string.Create(CultureInfo.InvariantCulture,
            $"{Show.Many(told, "audit")} {(told == 1 ? "was" : "were")} told anew{(money > 0 ? $", the money of {money} by the ledger" : "")}{(left > 0 ? $"; {left} of {wanted} stay as they were: they ended just now, live again, or the saga cannot tell them" : "")}{(different > 0 ? $"; {different} still differ, see `assay doctor --integrity`" : "")}.");
        Done(logger, outcome);
        return outcome;
    }

    /// <summary>Gives back how many audits differ in what is shown.</summary>
    async Task<int> CompareAsync(bool repair, CancellationToken cancellationToken)
    {
        HashSet<Guid> different = [];
        string? cursor = null;
        do
        {
            await using var scope = scopes.CreateAsyncScope();
            var saga = scope.ServiceProvider.GetRequiredService<IRequestClient<CheckIntegrity>>();
            var page = (await saga.GetResponse<IntegrityPage>(new CheckIntegrity { Cursor = cursor, Repair = repair, PageSize = CheckIntegrity.MaxPageSize }, cancellationToken, Patience)).Message;
            if (page.Unanswered.Count > 0)
                throw new InvalidOperationException($"{string.Join(" and ", page.Unanswered)} did not answer the comparison.");
            different.UnionWith(page.Differences.Where(difference => difference.Repaired).Select(difference => difference.AuditId));
            cursor = page.Next;
        }
        while (cursor is not null);
        return different.Count;
    }

    /// <summary>Looks until nothing is left, or it has not become fewer for long enough.</summary>
    async Task<int> UntilNoFewerAsync(Func<Task<int>> look, CancellationToken cancellationToken)
    {
        var (left, idle) = (await look(), 0);
        while (left > 0 && idle < LooksWithoutProgress)
        {
            await Task.Delay(Pause, time, cancellationToken);
            var now = await look();
            idle = now < left ? 0 : idle + 1;
            left = now;
        }

        return left;
    }

    /// <summary>
    /// The ledger reports on a budget when it changes, so an ended audit's report does not come again. Its state of money does, on request.
    /// </summary>
    async Task<int> AskForMoneyAsync(CancellationToken cancellationToken)
    {
        var asked = 0;
        foreach (var (auditId, attempt) in await UnreportedAsync(cancellationToken))
        {
            await using var scope = scopes.CreateAsyncScope();
            var gateway = scope.ServiceProvider.GetRequiredService<IRequestClient<GetSpending>>();
            var db = scope.ServiceProvider.GetRequiredService<DashboardDbContext>();
            var status = (await gateway.GetResponse<SpendingStatus>(new GetSpending { AuditId = auditId, Days = AllDays }, cancellationToken, Patience)).Message;
            var reused = await db.Answers.CountAsync(answer => answer.AuditId == auditId && answer.Attempt == attempt && answer.Json.Contains("\"reused\":true"), cancellationToken);
            if (MoneyTold.Of(status, auditId, attempt, reused) is not { } money)
                continue;
            await queue.ProjectAsync(new Told(auditId, money, time.GetUtcNow().UtcDateTime)).WaitAsync(cancellationToken);
            asked++;
        }

        return asked;
    }

    async Task<List<(Guid AuditId, int Attempt)>> UnreportedAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var rows = await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().Audits.AsNoTracking()
            .Where(audit => audit.BudgetVersion == 0 && audit.AcceptedAttempt > 0 && ReadStates.Ended.Contains(audit.Status))
            .Select(audit => new { audit.AuditId, audit.Attempt }).ToListAsync(cancellationToken);
        return rows.ConvertAll(row => (row.AuditId, row.Attempt));
    }

    async Task<int> MarkedAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<DashboardDbContext>().Rebuilds.CountAsync(cancellationToken);
    }

    /// <summary>False, and said in the log, if the database is away.</summary>
    async Task<bool> TryAsync(Func<DashboardDbContext, Task<bool>> what, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            return await what(scope.ServiceProvider.GetRequiredService<DashboardDbContext>());
        }
        catch (Exception exception) when (exception is not OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            Failed(logger, exception);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "The read model was rebuilt: {Outcome}")]
    static partial void Done(ILogger logger, string outcome);

    [LoggerMessage(LogLevel.Error, "The rebuild of the read model stopped; what was told until then stays. Start it again when all services answer")]
    static partial void Failed(ILogger logger, Exception exception);
}
