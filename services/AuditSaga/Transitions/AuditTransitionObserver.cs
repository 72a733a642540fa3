using Assay.AuditSaga.Alerts;
using Assay.AuditSaga.Audits;
using MassTransit;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Transitions;

/// <summary>The one observer of the state machine: every step is recorded and told.</summary>
sealed class AuditTransitionObserver(IOptions<AuditSagaOptions> options) : IStateObserver<AuditState>
{
    public async Task StateChanged(BehaviorContext<AuditState> context, State currentState, State? previousState)
    {
        // Creating a row puts it into Initial; that is no step in its life.
        if (currentState.Name == context.StateMachine.Initial.Name)
            return;
        var step = context.Service<TransitionRecorder>().Record(context.Saga, previousState?.Name ?? context.StateMachine.Initial.Name, currentState.Name, TriggerOf(context.Event));
        await context.Publish(step, context.CancellationToken);
        foreach (var alert in AlertRules.OnStep(context.Saga, currentState.Name, step.At, options.Value))
            await context.RaiseAsync(alert);
    }

    /// <summary>The name of the message: <c>QueriesPlanned</c>, <c>Fault&lt;PlanQueries&gt;</c>.</summary>
    internal static string TriggerOf(Event @event) =>
        @event.GetType().GetInterfaces().FirstOrDefault(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Event<>))?.GetGenericArguments()[0] is { } message
            ? NameOf(message)
            : @event.Name;

    static string NameOf(Type message) =>
        message.IsGenericType ? $"{message.Name[..message.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", message.GetGenericArguments().Select(NameOf))}>" : message.Name;
}
