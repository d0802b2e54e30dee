# What only a real Windows can show: the service as the SCM keeps it, accounts, rights on folders, the
# text in the Event Viewer, limits that bite, and recovery. Run elevated on a machine that may be soiled.
#   pwsh .github/scripts/windows-service.ps1 bin\host.exe
param([Parameter(Mandatory)][string]$Exe)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
$name = 'servicehost-check'
$folder = Join-Path $env:ProgramFiles 'servicehost check'   # with a blank, and writable for administrators only
$spec = Join-Path $folder 'services.yaml'

function Must([bool]$Holds, [string]$What) {
	if (-not $Holds) { throw "does not hold: $What" }
	Write-Host "ok: $What"
}

function Until([string]$What, [scriptblock]$Condition, [int]$Seconds = 30) {
	$end = (Get-Date).AddSeconds($Seconds)
	while ((Get-Date) -lt $end) {
		if (& $Condition) { Write-Host "ok: $What"; return }
		Start-Sleep -Milliseconds 200
	}
	throw "did not happen within $Seconds s: $What"
}

function Host_ { & $script:bin @args; $script:code = $LASTEXITCODE }
function Service([string]$Id) { (& $bin status --name check -o json | ConvertFrom-Json).services | Where-Object id -EQ $Id }

New-Item -ItemType Directory -Force $folder | Out-Null
$bin = Join-Path $folder 'host.exe'
Copy-Item $Exe $bin -Force
$ping = "$env:SystemRoot\System32\ping.exe"
@"
host: {name: check, shutdown_timeout: 40s}
services:
  plain: {command: ['$ping', '-t', '127.0.0.1']}
  local: {command: ['$env:SystemRoot\System32\cmd.exe', '/c', 'whoami & ping -t 127.0.0.1'], user: 'NT AUTHORITY\LocalService'}
  weak: {command: ['$env:SystemRoot\System32\cmd.exe', '/c', 'whoami /all & ping -t 127.0.0.1'], restricted_token: true, integrity: low}
  capped: {command: [powershell.exe, -NoProfile, -Command, '`$a = @(); while (1) { `$a += ,(New-Object byte[] 50MB); foreach (`$x in `$a) { [void]`$x.Length } }'], limits: {memory: 300MiB, cpu: 50%, processes: 8}, restart: {delay: 1s}}
"@ | Set-Content $spec -Encoding utf8

try {
	Host_ install -f $spec --name $name
	Must ($code -eq 0) 'host install'
	Host_ install -f $spec --name $name
	Must ($code -eq 0) 'host install, once more'

	$path = (Get-ItemProperty "HKLM:\SYSTEM\CurrentControlSet\Services\$name").ImagePath
	Must ($path.StartsWith('"' + $bin + '"')) "the image path is quoted and absolute: $path"
	$failure = sc.exe qfailure $name | Out-String
	Must (([regex]::Matches($failure, 'RESTART')).Count -eq 3 -and $failure -match '86400') 'three recovery actions, a day to reset'
	Must ((sc.exe qfailureflag $name | Out-String) -match 'TRUE') 'recovery for an end with an error, too'
	Must ((sc.exe qsidtype $name | Out-String) -match 'UNRESTRICTED') 'service SID'
	Must ((Get-ItemProperty "HKLM:\SYSTEM\CurrentControlSet\Services\$name").PreshutdownTimeout -ge 40000) 'preshutdown timeout'

	Host_ daemon start --name $name
	Must ($code -eq 0) 'host daemon start'
	Until 'the plain child runs' { (Service 'plain').state -eq 'running' }
	Until 'the child of another account runs' { (Service 'local').state -eq 'running' }
	Until 'the weak child runs' { (Service 'weak').state -eq 'running' }

	$state = Join-Path $env:ProgramData 'servicehost\check'
	$acl = Get-Acl $state
	Must $acl.AreAccessRulesProtected 'the state folder inherits nothing'
	$others = $acl.Access | Where-Object { $_.IdentityReference -notmatch 'SYSTEM|Administrators|NT SERVICE' }
	Must (-not $others) "nobody else may use the state folder: $($others.IdentityReference)"
	Until 'the child of another account says so' { (Get-Content (Join-Path $state 'logs\local.log') -Raw) -match 'local service' }
	Until 'the weak child has low integrity' { (Get-Content (Join-Path $state 'logs\weak.log') -Raw) -match 'S-1-16-4096' }
	Until 'the memory limit is an event' { (& $bin events --name check -o json | Out-String) -match 'limit_hit' } 90

	(Get-Content $spec -Raw) -replace "'-t', '127.0.0.1'\]}", "'-t', '127.0.0.2']}" | Set-Content $spec -Encoding unicode
	$before = (Service 'plain').pid
	Until 'an edit in UTF-16 replaces the child' { $s = Service 'plain'; $s.state -eq 'running' -and $s.pid -ne $before }
	sc.exe control $name 128 | Out-Null
	Until 'control 128 rotates the log of the host' { Get-ChildItem (Join-Path $state 'logs') -Filter 'host.log.*' }
	sc.exe control $name 129 | Out-Null
	Until 'control 129 writes the state' { Get-ChildItem (Join-Path $state 'logs') -Filter 'dump-*.json' }

	Set-Content $spec 'services: {plain: {comand: x}}'
	Until 'a broken edit is in the Event Log with its text' {
		Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = $name; Id = 101 } -ErrorAction SilentlyContinue |
			Where-Object Message -Match 'rejected'
	}

	$pids = & $bin status --name check -o json | ConvertFrom-Json
	Stop-Process -Id $pids.host.pid -Force
	Until 'no child outlives a killed host' { -not (Get-Process -Id (($pids.services | Where-Object pid -GT 0).pid) -ErrorAction SilentlyContinue) } 10
	Until 'recovery starts it again' { (Get-Service $name).Status -eq 'Running' } 60
	Until 'what worked last runs, since the file is broken' { (& $bin status --name check -o json | ConvertFrom-Json).host.spec.state -eq 'rejected' -and (Service 'plain').state -eq 'running' }

	Host_ daemon stop --name $name
	Must ($code -eq 0) 'host daemon stop'
	Must ((Get-Service $name).Status -eq 'Stopped') 'the SCM says stopped'
}
finally {
	Host_ uninstall --name $name
	Must ($code -eq 0) 'host uninstall'
	Must (-not (Get-Service $name -ErrorAction SilentlyContinue)) 'the service is gone'
	Remove-Item $folder, (Join-Path $env:ProgramData 'servicehost\check') -Recurse -Force -ErrorAction SilentlyContinue
}
