using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Assay.TestServers;

/// <summary>A RabbitMQ broker of our own (with its own epmd, cookie and data), with the management and prometheus plugins, on free loopback ports; one node, or a cluster of several.</summary>
public sealed class PrivateRabbitMq : IAsyncDisposable
{
    private static readonly Lazy<Task<PrivateRabbitMq>> SharedBroker = new(() => StartAsync());
    private readonly string _scripts;
    private readonly string _workplace;
    private readonly int _epmdPort = Loopback.FreePort();
    private readonly List<Node> _nodes;
    private readonly HttpClient _management;
    private ServerProcess? _epmd;

    private PrivateRabbitMq(string scripts, string workplace, int nodes)
    {
        _scripts = scripts;
        _workplace = workplace;
        _nodes = [.. Enumerable.Range(0, nodes).Select(number => new Node(number == 0 ? "assay" : $"assay{number}"))];
        _management = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ManagementPort}/"), Timeout = TimeSpan.FromSeconds(20) };
        _management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{Username}:{Password}")));
    }

    /// <summary>One broker for the whole test process, started by whoever asks first and killed when the process exits.</summary>
    public static Task<PrivateRabbitMq> Shared => SharedBroker.Value;

    /// <summary>Where its data is; every process that belongs to it, or its guard, names this folder in its command line.</summary>
    public string Folder => _workplace;

    public string Host => "127.0.0.1";
    public int Port => _nodes[0].Port;
    public int ManagementPort => _nodes[0].ManagementPort;
    public int PrometheusPort => _nodes[0].PrometheusPort;

    /// <summary>Where the first node listens with TLS, if it was given certificates.</summary>
    public int TlsPort { get; } = Loopback.FreePort();

    /// <summary>Where each node listens.</summary>
    public IReadOnlyList<int> Ports => [.. _nodes.Select(node => node.Port)];

    public string Username => "guest";
    public string Password => "guest";

    /// <summary>Starts epmd and the broker.</summary>
    /// <param name="definitions">JSON of users, vhosts, permissions and policies, applied before the listener opens; null for the defaults.</param>
    /// <param name="nodes">How many nodes the broker has; quorum queues live on up to three.</param>
    /// <param name="certificates">A folder with <c>ca.pem</c>, <c>server.pem</c> and <c>server.key</c>; null for no TLS.</param>
    /// <param name="settings">Further lines of every node's configuration.</param>
    public static async Task<PrivateRabbitMq> StartAsync(string? definitions = null, int nodes = 1, string? certificates = null, string settings = "")
    {
        var scripts = FindScripts();
        var workplace = Workplace.Create("rabbitmq");
        var broker = new PrivateRabbitMq(scripts, workplace, nodes);
        await broker.PrepareAsync(definitions, certificates, settings);
        // The first node forms the cluster; the others join it.
        for (var number = 0; number < nodes; number++)
            await broker.StartNodeAsync(number);
        return broker;
    }

    /// <summary>Creates a virtual host with full permissions, so that tests in one broker do not see each other's queues.</summary>
    public async Task<string> CreateVirtualHostAsync(string name)
    {
        var unique = $"{name}-{Guid.NewGuid():N}"[..(name.Length + 9)];
        await PutAsync($"api/vhosts/{unique}", "{}");
        await PutAsync($"api/permissions/{unique}/{Username}", """{"configure":".*","write":".*","read":".*"}""");
        return unique;
    }

    /// <summary>Asked again, for the same changes nothing: a cluster that has just formed, on busy cores, may leave such a request without an answer.</summary>
    private async Task PutAsync(string path, string body)
    {
        const int mostTries = 3;
        for (var tries = 1; ; tries++)
        {
            try
            {
                var (status, text) = await SendAsync(HttpMethod.Put, path, body);
                if (status is < 200 or > 299)
                    throw new InvalidOperationException($"The broker answered PUT {path} with {status}: {text}");
                return;
            }
            catch (TaskCanceledException silent) when (tries < mostTries)
            {
                Console.WriteLine($"The broker has not answered PUT {path}, try {tries} of {mostTries}: {silent.Message}");
            }
        }
    }

    /// <summary>Removes every ready message of a queue.</summary>
    public async Task PurgeAsync(string virtualHost, string queue)
    {
        using var response = await _management.DeleteAsync($"api/queues/{Uri.EscapeDataString(virtualHost)}/{Uri.EscapeDataString(queue)}/contents");
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Messages (ready and unacknowledged) in each queue of a virtual host now. Read from the metrics endpoint: the management numbers lag by 5 s.</summary>
    public async Task<IReadOnlyDictionary<string, long>> CountMessagesAsync(string virtualHost)
    {
        const string metric = "rabbitmq_detailed_queue_messages{";
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var node in _nodes)
        {
            var text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{node.PrometheusPort}/metrics/detailed?vhost={Uri.EscapeDataString(virtualHost)}&family=queue_coarse_metrics"));
            foreach (var line in text.Split('\n').Where(line => line.StartsWith(metric, StringComparison.Ordinal)))
            {
                var from = line.IndexOf("queue=\"", StringComparison.Ordinal) + "queue=\"".Length;
                var queue = line[from..line.IndexOf('"', from)];
                // The leader's node counts it; one that led it before may still do so too.
                counts[queue] = Math.Max(counts.GetValueOrDefault(queue), (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return counts;
    }

    /// <summary>Messages that publishers have sent to the first node since it started, whatever the virtual host. A counter of the broker itself, not of the management's samples.</summary>
    public async Task<double> CountPublishedAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        var text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{PrometheusPort}/metrics"));
        var counters = text.Split('\n').Where(line => line.StartsWith("rabbitmq_global_messages_received_total{", StringComparison.Ordinal)).ToList();
        if (counters.Count == 0)
            throw new InvalidOperationException("The broker's /metrics has no rabbitmq_global_messages_received_total; it needs RabbitMQ 3.9 or newer with its prometheus plugin.");
        return counters.Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Deletes a queue with everything in it, as a careless operator would.</summary>
    public async Task DeleteQueueAsync(string virtualHost, string queue)
    {
        using var response = await _management.DeleteAsync($"api/queues/{Uri.EscapeDataString(virtualHost)}/{Uri.EscapeDataString(queue)}");
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Messages (ready and unacknowledged) in a queue now, or null if there is no such queue. Read from the metrics endpoint: the management numbers lag by 5 s.</summary>
    public async Task<long?> CountMessagesAsync(string virtualHost, string queue)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        var text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{PrometheusPort}/metrics/detailed?vhost={Uri.EscapeDataString(virtualHost)}&family=queue_coarse_metrics"));
        var name = $"queue=\"{queue}\"";
        var line = text.Split('\n').FirstOrDefault(l => l.StartsWith("rabbitmq_detailed_queue_messages{", StringComparison.Ordinal) && l.Contains(name, StringComparison.Ordinal));
        return line is null ? null : (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The management API's answer to a GET.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        var text = await _management.GetStringAsync(new Uri(path, UriKind.Relative));
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    /// <summary>The management API's answer to a POST or PUT, with its status.</summary>
    public async Task<(int Status, string Text)> SendAsync(HttpMethod method, string path, string json)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        using var response = await _management.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>What the broker wrote to its log: warnings and errors.</summary>
    public IReadOnlyCollection<string> Log => ProcessOf(0).Log;

    /// <summary>SIGKILL to the broker, as a crash. Its data stays.</summary>
    public Task KillAsync() => KillNodeAsync(0);

    /// <summary>SIGKILL to one node, from 0.</summary>
    public Task KillNodeAsync(int number) => ProcessOf(number).KillAsync();

    /// <summary>Freezes the first node (SIGSTOP).</summary>
    public void Pause() => Signal(0, 19);

    public void Resume() => Signal(0, 18);

    /// <summary>Starts the broker again on the same ports and data after <see cref="KillAsync"/>.</summary>
    public Task StartBrokerAsync() => StartNodeAsync(0);

    /// <summary>Starts one node, from 0, again on the same ports and data after <see cref="KillNodeAsync"/>.</summary>
    public async Task StartNodeAsync(int number)
    {
        var node = _nodes[number];
        node.Process = ServerProcess.Start(Path.Combine(_scripts, "rabbitmq-server"), [], _workplace, Environment(node));
        await node.Process.WaitUntilAsync($"RabbitMQ node {node.Name}", async stop =>
            await Loopback.AcceptsAsync(node.Port, stop) && await Loopback.AcceptsAsync(node.ManagementPort, stop) && await Loopback.AcceptsAsync(node.PrometheusPort, stop),
            TimeSpan.FromSeconds(120));
    }

    public async ValueTask DisposeAsync()
    {
        _management.Dispose();
        foreach (var node in _nodes)
        {
            if (node.Process is not null)
                await node.Process.DisposeAsync();
        }

        if (_epmd is not null)
            await _epmd.DisposeAsync();
        Workplace.Remove(_workplace);
    }

    private ServerProcess ProcessOf(int number) => _nodes[number].Process ?? throw new InvalidOperationException($"RabbitMQ node {number} has not been started.");

    // The script that starts a node waits for it in a process of its own; the node writes down which is the broker's.
    private void Signal(int number, int signal) =>
        ServerProcess.Signal(int.Parse(File.ReadAllText(In($"{_nodes[number].Name}.pid")), System.Globalization.CultureInfo.InvariantCulture), signal);

    private string In(string name) => Path.Combine(_workplace, name);

    private async Task PrepareAsync(string? definitions, string? certificates, string settings)
    {
        Directory.CreateDirectory(In("home"));
        Directory.CreateDirectory(In("data"));
        Directory.CreateDirectory(In("log"));
        await File.WriteAllTextAsync(In("home/.erlang.cookie"), Guid.NewGuid().ToString("N"));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(In("home/.erlang.cookie"), UnixFileMode.UserRead);
        await File.WriteAllTextAsync(In("plugins"), "[rabbitmq_management,rabbitmq_prometheus].\n");
        if (definitions is not null)
            await File.WriteAllTextAsync(In("definitions.json"), definitions);
        foreach (var node in _nodes)
            await File.WriteAllTextAsync(In($"{node.Name}.conf"), ConfigurationOf(node, definitions is not null) + (certificates is null ? "" : TlsConfiguration(certificates)) + settings);
        _epmd = ServerProcess.Start(FindEpmd(), ["-port", $"{_epmdPort}", "-address", "127.0.0.1"], _workplace);
        await _epmd.WaitUntilAsync("epmd", stop => Loopback.AcceptsAsync(_epmdPort, stop), TimeSpan.FromSeconds(15));
    }

    private string ConfigurationOf(Node node, bool withDefinitions)
    {
        var settings = $"""
            listeners.tcp.1 = 127.0.0.1:{node.Port}
            management.tcp.ip = 127.0.0.1
            management.tcp.port = {node.ManagementPort}
            prometheus.tcp.ip = 127.0.0.1
            prometheus.tcp.port = {node.PrometheusPort}
            vm_memory_high_watermark.absolute = 1GB
            disk_free_limit.absolute = 50MB
            log.console = true
            log.console.level = warning
            log.file = false

            """;
        if (withDefinitions)
            settings += $"load_definitions = {In("definitions.json")}\n";
        if (_nodes.Count > 1)
            settings += $"cluster_formation.peer_discovery_backend = classic_config\n{string.Concat(_nodes.Select((peer, number) => $"cluster_formation.classic_config.nodes.{number + 1} = {peer.ErlangName}\n"))}";
        return settings;
    }

    private string TlsConfiguration(string certificates) => $"""
        listeners.ssl.1 = 127.0.0.1:{TlsPort}
        ssl_options.cacertfile = {Path.Combine(certificates, "ca.pem")}
        ssl_options.certfile = {Path.Combine(certificates, "server.pem")}
        ssl_options.keyfile = {Path.Combine(certificates, "server.key")}
        ssl_options.verify = verify_none
        ssl_options.fail_if_no_peer_cert = false

        """;

    private Dictionary<string, string> Environment(Node node) => new(StringComparer.Ordinal)
    {
        ["HOME"] = In("home"),
        ["RABBITMQ_CONF_ENV_FILE"] = "/dev/null",
        ["RABBITMQ_NODENAME"] = node.ErlangName,
        ["RABBITMQ_DIST_PORT"] = $"{node.DistributionPort}",
        ["ERL_EPMD_PORT"] = $"{_epmdPort}",
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_MNESIA_BASE"] = In("data"),
        ["RABBITMQ_LOG_BASE"] = In("log"),
        ["RABBITMQ_CONFIG_FILE"] = In($"{node.Name}.conf"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = In("plugins"),
        ["RABBITMQ_PID_FILE"] = In($"{node.Name}.pid"),
        // Schedulers that spin for work would take the cores from the tests.
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "+sbwt none +sbwtdcpu none +sbwtdio none",
    };

    private static string FindScripts()
    {
        const string debian = "/usr/lib/rabbitmq/lib";
        return (Directory.Exists(debian) ? Directory.GetDirectories(debian, "rabbitmq_server-*") : [])
            .OrderDescending(StringComparer.Ordinal)
            .Select(directory => Path.Combine(directory, "sbin"))
            .FirstOrDefault(directory => File.Exists(Path.Combine(directory, "rabbitmq-server")))
            ?? throw new ServerMissingException("RabbitMQ (rabbitmq-server)", "rabbitmq-server", $"{debian}/rabbitmq_server-*/sbin");
    }

    private static string FindEpmd() =>
        (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/bin")
            .Select(directory => Path.Combine(directory, "epmd"))
            .FirstOrDefault(File.Exists)
        ?? throw new ServerMissingException("epmd (Erlang)", "erlang-base", "PATH");

    private sealed class Node(string name)
    {
        public string Name { get; } = name;
        public string ErlangName => $"{Name}@localhost";
        public int Port { get; } = Loopback.FreePort();
        public int ManagementPort { get; } = Loopback.FreePort();
        public int PrometheusPort { get; } = Loopback.FreePort();
        public int DistributionPort { get; } = Loopback.FreePort();
        public ServerProcess? Process { get; set; }
    }
}
