using Assay.Analyzer;
using Assay.ServiceDefaults;

return await AssayHost.RunServiceAsync(new AnalyzerModule(), args);
