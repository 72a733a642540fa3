using Assay.AuditSaga.Admission;
using Assay.AuditSaga.Alerts;
using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.AuditSaga.Pruning;
using Assay.AuditSaga.Transitions;
using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using MassTransit;
using MassTransit.Context;
using MassTransit.Scheduling;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using NSubstitute;

namespace Assay.AuditSaga.Tests;

/// <summary>What delivering a message came to.</summary>
sealed record Outcome(string State, bool RowChanged, IReadOnlyList<object> Said);

/// <summary>
/// The real state machine on a real database, without a bus: a message is delivered when the test says so, in one transaction as the
/// saga repository does it, at a time the test chooses. What the machine says and schedules is kept for the test to look at.
/// </summary>
sealed class AuditBench : IAsyncDisposable
{
    readonly SqliteConnection connection;
    readonly ServiceProvider services;
    readonly Dictionary<Type, Event> events;

    AuditBench(SqliteConnection connection, AuditSagaOptions options, TimeProvider clock)
    {
        this.connection = connection;
        services = new ServiceCollection()
            .AddLogging()
            .AddMetrics()
            .AddSingleton(Microsoft.Extensions.Options.Options.Create(options))
            .AddSingleton(clock)
            .AddDbContext<AuditSagaDbContext, SqliteAuditSagaDbContext>(o => o.UseSqlite(connection))
            .AddSingleton<AuditSagaMetrics>()
            .AddSingleton<AuditTransitionObserver>()
            .AddSingleton<AuditStateMachine>()
            .AddSingleton<RefusalRate>()
            .AddScoped<TransitionRecorder>()
            .AddScoped<AdmissionGuards>()
            .AddScoped<AuditPruning>()
            .BuildServiceProvider();
        Machine = services.GetRequiredService<AuditStateMachine>();
        events = Machine.Events
            .Select(e => (Event: e, Message: MessageOf(e)))
            .Where(e => e.Message is not null && !e.Event.Name.EndsWith(".Received", StringComparison.Ordinal))
            .ToDictionary(e => e.Message!, e => e.Event);
    }

    public static async Task<AuditBench> CreateAsync(Action<AuditSagaOptions>? configure = null)
    {
        var memory = new SqliteConnection("Data Source=:memory:");
        await memory.OpenAsync();
        var options = new AuditSagaOptions();
        configure?.Invoke(options);
        var clock = new ManualClock();
        var bench = new AuditBench(memory, options, clock) { Clock = clock, Options = options };
        await using var scope = bench.services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<AuditSagaDbContext>().Database.EnsureCreatedAsync();
        return bench;
    }

    public AuditStateMachine Machine { get; }
    public required ManualClock Clock { get; init; }
    public required AuditSagaOptions Options { get; init; }

    /// <summary>Everything published, oldest first.</summary>
    public List<object> Said { get; } = [];

    /// <summary>Timers that are armed, by token.</summary>
    public Dictionary<Guid, (DateTime At, object Message)> Timers { get; } = [];

    public T Last<T>() => Said.OfType<T>().Last();
    public IReadOnlyList<T> All<T>() => [.. Said.OfType<T>()];

    /// <summary>Delivers a message and commits what follows from it.</summary>
    public Task DeliverAsync<T>(T message) where T : class => HandleAsync(message, commit: true, TokenOf(message));

    /// <summary>Delivers a message to an instance that dies before its commit.</summary>
    public Task CrashWhileDeliveringAsync<T>(T message) where T : class => HandleAsync(message, commit: false, token: null);

    /// <summary>What a message would do, without doing it.</summary>
    public async Task<Outcome> TryAsync(object message, Guid? timerToken = null) =>
        await (Task<Outcome>)typeof(AuditBench).GetMethod(nameof(TryOneAsync), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!
            .MakeGenericMethod(ContractOf(message)).Invoke(this, [message, timerToken])!;

    Task<Outcome> TryOneAsync<T>(T message, Guid? timerToken) where T : class => HandleAsync(message, commit: false, timerToken);

    /// <summary>Delivers a message of a type known only at run time.</summary>
    public Task DeliverAnyAsync(object message) =>
        (Task)typeof(AuditBench).GetMethod(nameof(DeliverAsync))!.MakeGenericMethod(ContractOf(message)).Invoke(this, [message])!;

    /// <summary>Fires every timer that is due now.</summary>
    public async Task FireDueTimersAsync()
    {
        while (Timers.Where(timer => timer.Value.At <= Clock.Now).Select(timer => (Guid?)timer.Key).FirstOrDefault() is { } token)
        {
            Timers.Remove(token, out var timer);
            if (timer.Message is AuditStalled stalled)
                await HandleAsync(stalled, commit: true, token);
            else
                await HandleAsync((AuditDeadlinePassed)timer.Message, commit: true, token);
        }
    }

    /// <summary>The scheduler gives every timer message its token: that of the armed timer, which is then used up, or one that is armed no more.</summary>
    Guid? TokenOf(object message)
    {
        if (message is not (AuditStalled or AuditDeadlinePassed))
            return null;
        var armed = Timers.Where(timer => timer.Value.Message.Equals(message)).Select(timer => (Guid?)timer.Key).FirstOrDefault();
        return armed is { } token && Timers.Remove(token) ? token : Guid.NewGuid();
    }

    public async Task<AuditState> RowAsync(Guid auditId) => await QueryAsync(db => db.Audits.AsNoTracking().SingleAsync(audit => audit.CorrelationId == auditId));

    public async Task<T> QueryAsync<T>(Func<AuditSagaDbContext, Task<T>> query)
    {
        await using var scope = services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<AuditSagaDbContext>());
    }

    public async Task<int> PruneAsync()
    {
        await using var scope = services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<AuditPruning>().PruneAsync(100, CancellationToken.None);
    }

    async Task<Outcome> HandleAsync<T>(T message, bool commit, Guid? token) where T : class
    {
        await using var scope = services.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<AuditSagaDbContext>();
        await using var transaction = await database.Database.BeginTransactionAsync();
        var auditId = IdOf(message);
        var audit = await database.Audits.FindAsync(auditId);
        if (audit is null && message is not RequestAudit)
            return new Outcome("unknown", RowChanged: false, []);
        var isNew = audit is null;
        audit ??= new AuditState { CorrelationId = auditId };

        var said = new List<object>();
        var timers = new Dictionary<Guid, (DateTime At, object Message)?>();
        var context = ContextOf(message, scope.ServiceProvider, timers, token);
        var machineEvent = (Event<T>)events[typeof(T)];
        var behavior = new MassTransitStateMachine<AuditState>.BehaviorContextProxy<T>(Machine, new DefaultSagaConsumeContext<AuditState, T>(context.Scope, audit), context.Scope, machineEvent);
        await ((StateMachine<AuditState>)Machine).RaiseEvent(behavior);
        said.AddRange(context.Published.ReceivedCalls()
            .Where(call => call.GetMethodInfo().Name == nameof(ISendEndpoint.Send))
            .Select(call => call.GetArguments()[0]!));

        database.ChangeTracker.DetectChanges();
        var outcome = new Outcome(audit.CurrentState, isNew || database.Entry(audit).State == EntityState.Modified, said);
        if (isNew)
            database.Audits.Add(audit);
        else
            audit.Version++;
        await database.SaveChangesAsync();
        if (!commit)
            return outcome;
        await transaction.CommitAsync();
        Said.AddRange(said);
        foreach (var (timerToken, timer) in timers)
            if (timer is { } armed)
                Timers[timerToken] = armed;
            else
                Timers.Remove(timerToken);
        return outcome;
    }

    static (ISendEndpoint Published, ConsumeContextScope<T> Scope) ContextOf<T>(T message, IServiceProvider services, Dictionary<Guid, (DateTime, object)?> timers, Guid? token) where T : class
    {
        var published = Substitute.For<ISendEndpoint>();
        var inner = Substitute.For<ConsumeContext<T>>();
        inner.ReceiveContext.PublishEndpointProvider.Returns(new OneEndpoint(published));
        inner.Message.Returns(message);
        inner.ReceiveContext.InputAddress.Returns(new Uri("loopback://localhost/audit-state"));
        inner.Headers.Get<Guid>(MessageHeaders.SchedulingTokenId, Arg.Any<Guid?>()).Returns(token);
        var scheduler = new ConsumeMessageSchedulerContext(inner, _ => new MessageScheduler(new TimerBook(timers), Substitute.For<IBusTopology>()));
        return (published, new ConsumeContextScope<T>(inner, services, scheduler));
    }

    static Type? MessageOf(Event e) => e.GetType().GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(Event<>))?.GetGenericArguments()[0];

    static Type ContractOf(object message) => message.GetType().GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(Fault<>)) ?? message.GetType();

    static Guid IdOf(object message)
    {
        var type = ContractOf(message);
        var target = type.IsGenericType ? type.GetProperty(nameof(Fault<object>.Message))!.GetValue(message)! : message;
        return (Guid)target.GetType().GetProperty(nameof(RequestAudit.AuditId))!.GetValue(target)!;
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await connection.DisposeAsync();
    }

    sealed class OneEndpoint(ISendEndpoint endpoint) : IPublishEndpointProvider
    {
        public Task<ISendEndpoint> GetPublishSendEndpoint<T>() where T : class => Task.FromResult(endpoint);

        public ConnectHandle ConnectPublishObserver(IPublishObserver observer) => Substitute.For<ConnectHandle>();
    }

    /// <summary>Keeps what a transaction schedules and unschedules until it commits.</summary>
    sealed class TimerBook(Dictionary<Guid, (DateTime, object)?> timers) : IScheduleMessageProvider
    {
        public Task<ScheduledMessage<T>> ScheduleSend<T>(Uri destinationAddress, DateTime scheduledTime, T message, IPipe<SendContext<T>> pipe, CancellationToken cancellationToken) where T : class
        {
            var token = Guid.NewGuid();
            timers[token] = (scheduledTime, message);
            return Task.FromResult<ScheduledMessage<T>>(new ScheduledMessageHandle<T>(token, scheduledTime, destinationAddress, message));
        }

        public Task CancelScheduledSend(Guid tokenId, CancellationToken cancellationToken)
        {
            timers[tokenId] = null;
            return Task.CompletedTask;
        }

        public Task CancelScheduledSend(Uri destinationAddress, Guid tokenId, CancellationToken cancellationToken) => CancelScheduledSend(tokenId, cancellationToken);
    }
}
