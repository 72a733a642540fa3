using System.Threading.RateLimiting;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Contracts.Internal.Operations;
using Assay.Dashboard.Access;
using Assay.Dashboard.Answers;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Bulk;
using Assay.Dashboard.Compare;
using Assay.Dashboard.Database;
using Assay.Dashboard.Deletion;
using Assay.Dashboard.Engines;
using Assay.Dashboard.Integrity;
using Assay.Dashboard.Lineage;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Projections;
using Assay.Dashboard.Rebuild;
using Assay.Dashboard.Rederive;
using Assay.Dashboard.Reports;
using Assay.Dashboard.Spending;
using Assay.Dashboard.Webhooks;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.Dashboard;

/// <summary>Settings of the Dashboard (section <c>Dashboard</c>).</summary>
public sealed class DashboardOptions
{
    /// <summary>A file with lines <c>role name secret</c>; each becomes a key at start.</summary>
    public string? BootstrapKeyFile { get; set; }

    /// <summary>Sign-in attempts per minute and address.</summary>
    public int SignInsPerMinute { get; set; } = 10;

    /// <summary>Where a trace is shown, with <c>{traceId}</c> in it, for example <c>https://traces.example/trace/{traceId}</c>; empty: only its id is shown.</summary>
    public string? TraceUrl { get; set; }

    /// <summary>The saga's stall timeout (<c>AuditSaga__StallTimeout</c>), to say when a silent audit is ended; the saga alone acts on it.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long what is told about audits may wait for more before it is projected together; what somebody waits for is projected at once.</summary>
    public TimeSpan ProjectionDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>People and programs that sign in elsewhere.</summary>
    public OidcOptions Oidc { get; set; } = new();

    /// <summary>Lets webhooks lead to private and loopback addresses too, never to link-local ones; for receivers inside the network this service stands in.</summary>
    public bool AllowPrivateWebhooks { get; set; }
}

/// <summary>The read model, pages and REST API.</summary>
public sealed class DashboardModule : AssayModule
{
    /// <inheritdoc/>
    public override string Name => "Dashboard";

    /// <inheritdoc/>
    public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database)
    {
        var services = builder.Services;
        services.AddOptions<DashboardOptions>().Bind(builder.Configuration.GetSection(Name))
            .Validate(options => options.SignInsPerMinute > 0, "Dashboard__SignInsPerMinute must be above 0.")
            .Validate(options => options.ProjectionDelay > TimeSpan.Zero && options.ProjectionDelay <= TimeSpan.FromSeconds(10), "Dashboard__ProjectionDelay must be above 0 and at most 00:00:10; the default is 00:00:00.2.")
            .Validate(options => options.TraceUrl is not { Length: > 0 } url || (url.Contains("{traceId}", StringComparison.Ordinal) && Uri.TryCreate(url.Replace("{traceId}", "0", StringComparison.Ordinal), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"),
                "Dashboard__TraceUrl must be an http or https address with {traceId} in it.")
            .Validate(options => options.Oidc.Problem is null, "Dashboard__Oidc is not complete: Authority (https, or http on this machine) and Audience are needed together.").ValidateOnStart();
        services.PostConfigure<DashboardOptions>(options => options.StallTimeout = builder.Configuration.GetValue("AuditSaga:StallTimeout", options.StallTimeout));
        services.AddAssayDbContext<DashboardDbContext, PostgreSqlDashboardDbContext, SqliteDashboardDbContext>(database);
        services.TryAddTime();
        services.AddAssayAccess(builder.Configuration.GetSection($"{Name}:Oidc").Get<OidcOptions>() ?? new OidcOptions());
        services.AddScoped<AuditReader>();
        services.AddScoped<AuditCommands>();
        services.AddScoped<AnswerReader>();
        services.AddScoped<ReportReader>();
        services.AddScoped<HtmlReport>();
        services.AddScoped<GatewayClient>();
        services.AddScoped<AnalyzerClient>();
        services.AddMemoryCache();
        services.AddScoped<AuditHistory>();
        services.AddScoped<AuditDeletion>();
        services.AddScoped<BulkActions>();
        services.AddScoped<OperatorTrail>();
        services.AddScoped<ServicesClient>();
        services.AddScoped<FaultedMessageDesk>();
        services.AddScoped<EngineActions>();
        services.AddScoped<SpendingReader>();
        services.AddScoped<WebhookOutbox>();
        services.AddScoped<ProjectionTransaction>();
        services.AddSingleton<ProjectionQueue>();
        services.AddScoped<ReadModelRebuild>();
        services.AddSingleton<RebuildSignal>();
        services.AddHostedService<RebuildService>();
        services.AddSingleton<AuditFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditFeed>());
        services.AddHttpClient("webhooks", client => client.Timeout = WebhookDelivery.Timeout)
            .ConfigurePrimaryHttpMessageHandler(provider => WebhookAddress.Handler(provider.GetRequiredService<IOptions<DashboardOptions>>().Value.AllowPrivateWebhooks));
        services.AddSingleton<WebhookSignal>();
        services.AddHostedService<WebhookDelivery>();
        services.AddHostedService<ExpiredRequestSweep>();

        services.AddHttpContextAccessor();
        services.AddSingleton<RequestTurns>();
        services.AddScoped<Visitor>();
        services.AddRazorComponents();
        // Words in any script stay readable in the source; what HTML could misread is encoded all the same.
        services.AddSingleton(System.Text.Encodings.Web.HtmlEncoder.Create(System.Text.Unicode.UnicodeRanges.All));
        services.AddSingleton<IAntiforgery, SessionAntiforgery>();
        services.AddProblemDetails();
        services.AddExceptionHandler<UnavailableHandler>();
        services.AddExceptionHandler<PageErrors>();
        services.AddOpenApi("v1", ApiDocument.Describe);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.NumberHandling = Assay.Contracts.Internal.AssayJson.Options.NumberHandling;
            json.SerializerOptions.Encoder = Assay.Contracts.Internal.AssayJson.Options.Encoder;
        });
        services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.OnRejected = (context, cancellationToken) =>
            {
                context.HttpContext.Response.Headers.RetryAfter = "60";
                return new ValueTask(PageEndpoints.Message("Too many attempts", "Wait a minute, then try again.", StatusCodes.Status429TooManyRequests).ExecuteAsync(context.HttpContext));
            };
            limiter.AddPolicy(PageEndpoints.SignInLimit, context => PageEndpoints.OnlyShowsSignIn(context.Request) ? RateLimitPartition.GetNoLimiter("") : RateLimitPartition.GetFixedWindowLimiter(context.Connection.RemoteIpAddress?.ToString() ?? "local",
                _ => new FixedWindowRateLimiterOptions { PermitLimit = context.RequestServices.GetRequiredService<IOptions<DashboardOptions>>().Value.SignInsPerMinute, Window = TimeSpan.FromMinutes(1) }));
            // A shared report is read by many behind one address, but nobody guesses tokens at speed.
            limiter.AddPolicy(PageEndpoints.SharedLimit, context => RateLimitPartition.GetFixedWindowLimiter(context.Connection.RemoteIpAddress?.ToString() ?? "local",
                _ => new FixedWindowRateLimiterOptions { PermitLimit = 120, Window = TimeSpan.FromMinutes(1) }));
        });
    }

    /// <inheritdoc/>
    public override void AddConsumers(IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<ProjectAuditConsumer, ProjectAuditConsumerDefinition>();
        bus.AddConsumer<GetReadModelFactsConsumer, GetReadModelFactsConsumerDefinition>();
        bus.AddConsumer<RepairReadModelConsumer, RepairReadModelConsumerDefinition>();
        bus.AddRequestClient<CheckIntegrity>();
        bus.AddConsumer<AnnounceAlertConsumer, AnnounceAlertConsumerDefinition>();
        bus.AddRequestClient<GetAnswerTexts>();
        bus.AddRequestClient<CompareAudits>();
        bus.AddRequestClient<RederiveAudit>();
        bus.AddRequestClient<GetPartialScores>();
        bus.AddRequestClient<EraseAnswers>();
        bus.AddRequestClient<GetSpending>();
        bus.AddRequestClient<HaltSpending>();
        bus.AddRequestClient<ResumeSpending>();
        bus.AddRequestClient<GetEngines>();
        bus.AddRequestClient<PauseEngine>();
        bus.AddRequestClient<ResumeEngine>();
        bus.AddRequestClient<SetEngineLimits>();
        bus.AddRequestClient<GetServiceHealth>();
        bus.AddRequestClient<ReleaseParked>();
        bus.AddRequestClient<QuoteAudit>();
        bus.AddRequestClient<RecoverLedger>();
        bus.AddAssayOutbox<DashboardDbContext>();
        bus.AddServiceOperations<DashboardDbContext>(Name);
    }

    /// <inheritdoc/>
    public override void MapEndpoints(WebApplication app)
    {
        app.UseMiddleware<SecurityHeaders>();
        app.UseExceptionHandler();
        // What the framework refuses by itself (no such path, wrong method, unreadable body) is told as problem details too.
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase), api => api.UseStatusCodePages());
        app.UseWhen(PageErrors.Wants, pages => pages.UseStatusCodePages(refused => PageErrors.TellAsync(refused.HttpContext)));
        app.UseRouting();
        // Before the database is asked who somebody is.
        app.Use(app.Services.GetRequiredService<RequestTurns>().TakeAsync);
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.UseAntiforgery();

        app.MapStaticAssets().AllowAnonymous();
        app.MapOpenApi().RequireAuthorization(Policies.Read);
        var api = app.MapGroup("/api").TakeTurns().DisableAntiforgery().AddEndpointFilterFactory(QueryValues.Check).AddEndpointFilter<RouteGroupBuilder, EntityTagFilter>().AddEndpointFilter<RouteGroupBuilder, IdempotencyFilter>();
        AuditsApi.Map(api);
        SpendingApi.Map(api);
        EnginesApi.Map(api);
        OperationsApi.Map(api);
        LedgerRestoreApi.Map(api);
        CompareEndpoints.MapApi(api);
        RederiveEndpoints.MapApi(api);
        LineageEndpoints.MapApi(api);
        BulkEndpoints.MapApi(api);
        KeysApi.Map(api);
        IntegrityApi.Map(api);
        RebuildEndpoints.MapApi(api);
        PageEndpoints.Map(app);
    }

    /// <inheritdoc/>
    public override async Task PrepareAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        if (services.GetRequiredService<IOptions<DashboardOptions>>().Value.BootstrapKeyFile is { Length: > 0 } file)
            await BootstrapKeys.LoadAsync(file, services.GetRequiredService<IKeyStore>(), cancellationToken);
        await using var scope = services.CreateAsyncScope();
        await SearchIndex.TellAsync(scope.ServiceProvider.GetRequiredService<DashboardDbContext>(), services.GetRequiredService<ILogger<DashboardModule>>(), cancellationToken);
    }
}

static class TimeRegistration
{
    public static void TryAddTime(this IServiceCollection services) =>
        Microsoft.Extensions.DependencyInjection.Extensions.ServiceCollectionDescriptorExtensions.TryAddSingleton(services, TimeProvider.System);
}
